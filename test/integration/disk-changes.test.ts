// The files of a replica change behind a running sidecar: it notices at the next touch, and mends what it can.
import { execFile } from "node:child_process";
import { cp, mkdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { catchUpToHead } from "../../src/sync/catch-up/catch-up.ts";
import { type Site, site } from "../support/device-pair.ts";
import { APP, check } from "../support/disk-checks.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change, SOON } from "../support/sync-device.ts";

const run = promisify(execFile);

type Change = (gitDir: string, site: Site) => Promise<unknown>;
const CHANGES: [string, Change][] = [
  ["its directory is deleted", (gitDir) => rm(gitDir, { recursive: true })],
  ["its directory is moved away", (gitDir, { cluster }) => rename(gitDir, join(cluster.dir, "away"))],
  [
    "its directory is replaced by an empty one",
    async (gitDir) => {
      await rm(gitDir, { recursive: true });
      await mkdir(gitDir);
    },
  ],
  [
    "its directory is replaced by a file",
    async (gitDir) => {
      await rm(gitDir, { recursive: true });
      await writeFile(gitDir, "precious");
    },
  ],
  [
    "its directory is replaced by a link to nowhere",
    async (gitDir) => {
      await rm(gitDir, { recursive: true });
      await symlink("/no/such", gitDir);
    },
  ],
  [
    "its directory is replaced by somebody's repository",
    async (gitDir) => {
      await rm(gitDir, { recursive: true });
      await run("git", ["init", "--quiet", "--bare", gitDir]);
    },
  ],
  [
    "its directory is replaced by an older copy of itself",
    async (gitDir, { a, one }) => {
      await cp(gitDir, `${gitDir}.copy`, { recursive: true, verbatimSymlinks: true });
      await rm(gitDir, { recursive: true });
      await rename(`${gitDir}.copy`, gitDir);
      await a.git(APP, ["update-ref", "refs/heads/main", one]);
    },
  ],
  ["all its files are deleted", (gitDir) => run("sh", ["-c", 'rm -rf "$0"/*', gitDir])],
  ["its HEAD is deleted", (gitDir) => rm(join(gitDir, "HEAD"))],
  [
    "its HEAD is a directory",
    async (gitDir) => {
      await rm(join(gitDir, "HEAD"));
      await mkdir(join(gitDir, "HEAD"));
    },
  ],
  [
    "its HEAD is empty",
    (gitDir) => writeFile(join(gitDir, "HEAD.x"), "").then(() => rename(join(gitDir, "HEAD.x"), join(gitDir, "HEAD"))),
  ],
  ["its config is deleted", (gitDir) => rm(join(gitDir, "config"))],
  ["its lockstep.config is deleted", (gitDir) => rm(join(gitDir, "lockstep.config"))],
  ["its refs/ is deleted", (gitDir) => rm(join(gitDir, "refs"), { recursive: true })],
  [
    "its refs/ is a file",
    async (gitDir) => {
      await rm(join(gitDir, "refs"), { recursive: true });
      await writeFile(join(gitDir, "refs"), "junk");
    },
  ],
  ["its objects/ is deleted", (gitDir) => rm(join(gitDir, "objects"), { recursive: true })],
  [
    "its objects/ is replaced by an empty one",
    async (gitDir) => {
      await rm(join(gitDir, "objects"), { recursive: true });
      await mkdir(join(gitDir, "objects", "pack"), { recursive: true });
    },
  ],
  ["its refs/heads/ is deleted", (gitDir) => rm(join(gitDir, "refs", "heads"), { recursive: true })],
  ["a ref is deleted", (gitDir) => rm(join(gitDir, "refs", "heads", "main"))],
  ["its packed-refs is junk", (gitDir) => writeFile(join(gitDir, "packed-refs"), "junk\n")],
  ["its packed-refs is a directory", (gitDir) => mkdir(join(gitDir, "packed-refs"))],
];

describe("while a sidecar runs", () => {
  it.each(CHANGES)("a read finds that %s, and is answered", async (_, alter) => {
    await using cluster = await TestCluster.make();
    const made = await site(cluster);
    const { a, two } = made;
    await alter(a.gitDir(APP), made);
    expect(await a.read(APP)).toMatchObject({ version: 2n });
    expect(await a.refs(APP)).toMatchObject({ "refs/heads/main": two });
    await a.expectInLockstep(APP);
    expect(await check(a, true)).toMatchObject({ differences: [], damage: [], failure: null });
    // Pushes still go through the sidecar.
    expect(await a.git(APP, ["config", "receive.procReceiveRefs"])).toBe("refs/");
    const three = await a.commit(APP, "three", { parents: [two] });
    expect(await a.push(APP, [change("main", two, three)])).toEqual({ "refs/heads/main": null });
    await a.expectInLockstep(APP);
  });

  it.each(CHANGES)("a catch-up after a push elsewhere finds that %s", async (_, alter) => {
    await using cluster = await TestCluster.make();
    const made = await site(cluster);
    const { a, b, two } = made;
    await alter(a.gitDir(APP), made);
    const three = await b.commit(APP, "three", { parents: [two] });
    await b.push(APP, [change("main", two, three)]);
    await catchUpToHead(a.context, a.replica(APP), { signal: AbortSignal.timeout(SOON.timeout) });
    expect(await a.read(APP)).toMatchObject({ version: 3n });
    await a.expectInLockstep(APP);
  });

  it.each(CHANGES)("verify finds, says and mends that %s", async (_, alter) => {
    await using cluster = await TestCluster.make();
    const made = await site(cluster);
    const { a } = made;
    await alter(a.gitDir(APP), made);
    const found = await check(a, true);
    expect(found.failure).toBeNull();
    expect(found.differences.length + found.damage.length).toBeGreaterThan(0);
    await a.expectInLockstep(APP);
    expect(await check(a, true)).toMatchObject({ differences: [], damage: [], failure: null });
  });
});
