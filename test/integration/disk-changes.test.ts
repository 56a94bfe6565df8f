// The files of a replica change behind a running sidecar: it notices at the next touch, and mends what it can.
import { execFile } from "node:child_process";
import { cp, mkdir, readdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it, vi } from "vitest";
import { describe as describeError, firstError, LockstepError } from "../../src/errors.ts";
import { catchUpToHead } from "../../src/sync/catch-up/catch-up.ts";
import { compareNotes } from "../../src/sync/catch-up/compare-notes.ts";
import { verify } from "../../src/sync/operator/verify-replica.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change, SOON, type TestDevice } from "../support/sync-device.ts";

const APP = "team/app";
const run = promisify(execFile);

interface Site {
  readonly cluster: TestCluster;
  readonly a: TestDevice;
  readonly b: TestDevice;
  readonly one: string;
  readonly two: string;
}

/** Two devices at version 2, whose refs are loose. */
async function site(cluster: TestCluster): Promise<Site> {
  const [a, b] = await cluster.pair(APP);
  const [one, two] = await a.history(APP);
  await a.push(APP, [change("main", null, one), change("topic/x", null, one)]);
  await a.push(APP, [change("main", one, two)]);
  await b.read(APP);
  return { cluster, a, b, one, two };
}

const check = ({ context }: TestDevice, full = false) =>
  verify(context, APP, { full, signal: AbortSignal.timeout(SOON.timeout) });

const rowOf = async ({ cluster, name }: TestDevice) =>
  (await cluster.sql("select version, state from lockstep.replica where device = $1", [name]))[0];

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

describe("a replica whose disk was lost", () => {
  it("is no source and no leader of what was recorded of it", async () => {
    await using cluster = await TestCluster.make();
    const { a, b, two } = await site(cluster);
    const three = await a.commit(APP, "three", { parents: [two] });
    await a.push(APP, [change("main", two, three)]);
    await vi.waitFor(async () => expect(await rowOf(a)).toMatchObject({ version: "3" }), SOON);
    await rm(a.gitDir(APP), { recursive: true });
    // Only it had the last one.
    await expect(a.read(APP)).rejects.toMatchObject({ code: "NO_SOURCE" });
    expect(await rowOf(a)).toMatchObject({ version: "0", state: "pending" });
    await expect(b.read(APP)).rejects.toMatchObject({ code: "NO_SOURCE" });
    expect(await b.refs(APP)).toMatchObject({ "refs/heads/main": two });
  });

  it("is found by a device that asks it for objects, which then gets them elsewhere", async () => {
    await using cluster = await TestCluster.make();
    const { a, two } = await site(cluster);
    // It would be made anew at once.
    a.onDoubt = () => {};
    await rm(a.gitDir(APP), { recursive: true });
    const c = await cluster.start("repo003");
    await cluster.addReplica(APP, c);
    await vi.waitFor(async () => expect(await c.read(APP)).toMatchObject({ version: 2n }), SOON);
    expect(await c.refs(APP)).toMatchObject({ "refs/heads/main": two });
    await expect(
      a.packs.open(
        "repo003",
        { repositoryId: c.replica(APP).id, wants: [two], haves: [], version: "2", visit: "last" },
        a.context.signal,
      ),
    ).rejects.toMatchObject({ code: "REPLICA_IN_DOUBT" });
    expect(a.replica(APP).applied).toBeUndefined();
  });

  it("mends its parts where there is no other device", async () => {
    await using cluster = await TestCluster.make();
    const a = await cluster.start("repo001");
    await cluster.create(APP, [a]);
    const [one, two] = await a.history(APP);
    await a.push(APP, [change("main", null, two), change("topic/x", null, one)]);
    for (const part of ["refs", "HEAD", "config", "lockstep.config"]) {
      await rm(join(a.gitDir(APP), part), { recursive: true });
      await a.read(APP);
      await a.expectInLockstep(APP);
    }
  });

  it("keeps the files that were in its way", async () => {
    await using cluster = await TestCluster.make();
    const { a } = await site(cluster);
    await rm(a.gitDir(APP), { recursive: true });
    await mkdir(a.gitDir(APP));
    await writeFile(join(a.gitDir(APP), "thesis.txt"), "precious");
    await a.read(APP);
    const misplaced = join(a.context.root, ".lockstep", "misplaced");
    const [place] = await readdir(misplaced);
    expect(await readFile(join(misplaced, place as string, "thesis.txt"), "utf8")).toBe("precious");
  });

  it("is noticed by the next incarnation too, when the first one dies before it has compared", async () => {
    await using cluster = await TestCluster.make();
    const { a, two } = await site(cluster);
    await rm(join(a.gitDir(APP), "refs", "heads", "main"));
    await a.replica(APP).mutex.look();
    const again = await a.restart();
    expect(await again.read(APP)).toMatchObject({ version: 2n });
    expect(await again.refs(APP)).toMatchObject({ "refs/heads/main": two });
    await again.expectInLockstep(APP);
  });
});

describe("a root that is not there any more", () => {
  it.each([
    ["an empty directory lies there", (root: string) => mkdir(root)],
    ["nothing lies there", async () => {}],
    [
      "another root lies there",
      (root: string) =>
        mkdir(join(root, ".lockstep"), { recursive: true }).then(() => writeFile(join(root, ".lockstep", "lock"), "")),
    ],
  ])("is not filled again, and what was recorded of it stays: %s", async (_, put) => {
    await using cluster = await TestCluster.make();
    const { a, b, two } = await site(cluster);
    await vi.waitFor(async () => expect(await rowOf(a)).toMatchObject({ version: "2" }), SOON);
    const { root } = a.context;
    const away = join(cluster.dir, "away");
    await rename(root, away);
    await put(root);
    const before = await readdir(root, { recursive: true }).catch(() => []);
    const three = await b.commit(APP, "three", { parents: [two] });
    await b.push(APP, [change("main", two, three)]);
    const gone = { code: "ROOT_GONE", message: expect.stringContaining(root) };
    await expect(a.read(APP)).rejects.toMatchObject(gone);
    await expect(check(a)).rejects.toMatchObject(gone);
    await expect(a.push(APP, [change("x", null, two)])).rejects.toMatchObject(gone);
    await expect(compareNotes(a.context)).rejects.toMatchObject(gone);
    expect(await readdir(root, { recursive: true }).catch(() => [])).toEqual(before);
    expect(await rowOf(a)).toMatchObject({ version: "2" });
    // It is put back, and goes on.
    await rm(root, { recursive: true, force: true });
    await rename(away, root);
    await vi.waitFor(async () => expect(await a.read(APP)).toMatchObject({ version: 3n }), SOON);
    await a.expectInLockstep(APP);
  });
});

it("the first error is reported, even if the clean-up fails too", async () => {
  const first = new LockstepError("NO_SOURCE", "The first.");
  const run = async () => {
    await using _ = { [Symbol.asyncDispose]: () => Promise.reject(new Error("the last")) };
    await using _also = { [Symbol.asyncDispose]: () => Promise.reject(new Error("the second")) };
    throw first;
  };
  const thrown = await run().catch((error: unknown) => error);
  expect(thrown).not.toBe(first);
  expect(firstError(thrown)).toBe(first);
  expect(describeError(thrown)).toBe("The first.");
});
