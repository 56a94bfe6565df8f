// A replica in whose directory somebody plants a part with which git reads from another directory. Nothing outside the
// root may be read, sent to another device, or served.
import { mkdir, readdir, rename, rm, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { STATE_DIR } from "../../src/git/root/root-record.ts";
import { startGit } from "../../src/smart-http/git-child.ts";
import { catchUp } from "../../src/sync/catch-up/catch-up.ts";
import { verify } from "../../src/sync/operator/verify-replica.ts";
import { readWithStaleness } from "../../src/sync/read/commit-or-stale.ts";
import { APP, gc, pushes } from "../support/collecting.ts";
import { gitSandbox } from "../support/git.ts";
import { beginSession, bumpSession } from "../support/sessions.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change, SOON, type TestDevice } from "../support/sync-device.ts";

const never = new AbortController().signal;
const BORROWS = expect.objectContaining({ code: "REPLICA_BORROWS" });

/** Two devices with a repository, and a repository outside of their roots with a commit that they do not have. */
async function site() {
  const cluster = await TestCluster.make();
  const sandbox = await gitSandbox();
  const [a, b] = await cluster.pair(APP);
  const [first] = await pushes(a, "main", 1);
  await b.read(APP);
  const tree = await sandbox.workTree("tree");
  const secret = await sandbox.commit(tree, "secret", { file: "secret\n" });
  await sandbox.git(["update-ref", "refs/heads/secret", secret], { cwd: tree });
  const outside = join(sandbox.dir, "outside.git");
  await sandbox.git(["clone", "--quiet", "--bare", tree, outside]);
  // As if a ref of the repository had it: without that, nobody may fetch it from any device.
  a.context.fetchable.note(a.replica(APP).id, [secret]);
  return {
    ...{ cluster, a, b, first, secret, outside },
    async [Symbol.asyncDispose]() {
      await cluster[Symbol.asyncDispose]();
      await sandbox[Symbol.asyncDispose]();
    },
  };
}
type Site = Awaited<ReturnType<typeof site>>;

/** Puts a link to the part of another repository in the place of a directory. */
const link = (part: string) => async (gitDir: string, outside: string) => {
  await rm(join(gitDir, part), { recursive: true, force: true });
  await symlink(join(outside, part), join(gitDir, part));
};
const alternates = async (gitDir: string, outside: string) => {
  await mkdir(join(gitDir, "objects/info"), { recursive: true });
  await writeFile(join(gitDir, "objects/info/alternates"), `${outside}/objects\n`);
};

/** Everything with which git reads another directory. */
const PLANTED: [string, (gitDir: string, outside: string) => Promise<unknown>][] = [
  ["objects/info/alternates", alternates],
  ["commondir", (gitDir, outside) => writeFile(join(gitDir, "commondir"), `${outside}\n`)],
  ["objects", link("objects")],
  ["objects/pack", link("objects/pack")],
  [
    "objects/info",
    async (gitDir, outside) => {
      await alternates(outside, outside);
      await link("objects/info")(gitDir, outside);
    },
  ],
  ["refs", link("refs")],
];

/** A request of another device for objects, and for what stock git asks. */
const fetches = ({ a, secret }: Site) => ({
  pack: () =>
    a.packs.open(
      "repo002",
      { repositoryId: a.replica(APP).id, wants: [secret], haves: [], version: "1", visit: "last" },
      never,
    ),
  stockGit: () =>
    startGit({
      programs: a.context.git,
      asked: { service: "upload-pack", advertisement: true },
      client: { kind: "device", protocol: "version=2" },
      path: a.gitDir(APP),
    }),
});

const version = (device: TestDevice) => device.replica(APP).applied;

describe("a replica in which somebody plants", () => {
  it.each(PLANTED)("%s is neither read, sent, served nor packed, and others go on", async (part, plant) => {
    await using place = await site();
    const { a, b, first, secret, outside } = place;
    const before = await readdir(join(outside, "objects"), { recursive: true });
    await plant(a.gitDir(APP), outside);
    const planted = await readdir(join(outside, "objects"), { recursive: true });

    await expect(a.read(APP)).rejects.toMatchObject({
      code: "REPLICA_BORROWS",
      details: { path: join(a.gitDir(APP), part) },
    });
    await expect(a.read(APP, { forPush: true })).rejects.toEqual(BORROWS);
    await expect(readWithStaleness(a.context, APP, 3_600_000, { signal: never })).rejects.toEqual(BORROWS);
    const { pack, stockGit } = fetches(place);
    await expect(pack()).rejects.toEqual(BORROWS);
    await expect(stockGit()).rejects.toEqual(BORROWS);
    await expect(a.push(APP, [change("stolen", null, secret)])).rejects.toEqual(BORROWS);
    await expect(beginSession(a, APP)).rejects.toEqual(BORROWS);
    await expect(gc(a)).rejects.toEqual(BORROWS);

    // Another device goes on, and this one does not follow.
    const [second] = await pushes(b, "main", 1, first);
    await expect(catchUp(a.context, a.replica(APP), 2n, { signal: never })).rejects.toEqual(BORROWS);
    await expect(a.read(APP)).rejects.toEqual(BORROWS);
    expect(await b.refs(APP)).toMatchObject({ "refs/heads/main": second });
    expect(await b.has(APP, secret)).toBe(false);
    expect(await readdir(join(outside, "objects"), { recursive: true })).toEqual(planted);
    expect(before.length).toBeGreaterThan(0);
  });

  it.each(PLANTED)("%s is refused after a restart too, and its directory stays where it is", async (part, plant) => {
    await using place = await site();
    await plant(place.a.gitDir(APP), place.outside);
    const a = await place.a.restart();
    for (let times = 0; times < 2; times += 1) await expect(a.read(APP)).rejects.toEqual(BORROWS);
    expect(await stat(join(a.gitDir(APP), "HEAD"))).toBeDefined();
    expect(part).not.toBe("");
  });

  it.each(PLANTED)("%s is whole again after a full verification", async (part, plant) => {
    await using place = await site();
    const { a, b, first, secret, outside } = place;
    await plant(a.gitDir(APP), outside);
    const [second] = await pushes(b, "main", 1, first);
    const found = await verify(a.context, APP, { full: true, signal: never });
    expect(found).toMatchObject({ failure: null, damage: expect.arrayContaining([part]) });
    await a.read(APP);
    expect(version(a)).toBe(2n);
    expect(await a.refs(APP)).toMatchObject({ "refs/heads/main": second });
    await a.expectInLockstep(APP);
    expect(await a.has(APP, secret)).toBe(false);
    const aside = join(a.context.root, STATE_DIR, "damaged", a.replica(APP).id);
    expect(await readdir(aside)).toContain(part.split("/").at(-1));
    expect(await verify(a.context, APP, { full: true, signal: never })).toMatchObject({ failure: null, damage: [] });
  });

  it("objects/info/alternates keeps them if no other device has what is missing without them", async () => {
    await using place = await site();
    const { a, b, outside } = place;
    // An operator has moved the objects of the only device elsewhere.
    await b.crash();
    await rename(join(a.gitDir(APP), "objects/pack"), join(outside, "objects/pack-of-app"));
    await rm(join(outside, "objects/pack"), { recursive: true });
    await rename(join(outside, "objects/pack-of-app"), join(outside, "objects/pack"));
    await mkdir(join(a.gitDir(APP), "objects/pack"));
    await alternates(a.gitDir(APP), outside);
    await verify(a.context, APP, { full: true, signal: never }).catch(() => {});
    await expect(a.read(APP)).rejects.toEqual(BORROWS);
    await a.git(APP, ["repack", "-a", "-d", "-q"]);
    await rm(join(a.gitDir(APP), "objects/info/alternates"));
    // A catch-up that failed a moment ago is not repeated at once.
    await vi.waitFor(async () => await a.read(APP), SOON);
    await a.expectInLockstep(APP);
  });

  it.each([
    ["objects/info/http-alternates", (gitDir: string, outside: string) => `${outside}/objects\n${gitDir}`],
    ["gitdir", (_: string, outside: string) => outside],
  ])("%s goes on: git reads that file nowhere here", async (part, content) => {
    await using place = await site();
    const { a, b, first, secret, outside } = place;
    await mkdir(join(a.gitDir(APP), "objects/info"), { recursive: true });
    await writeFile(join(a.gitDir(APP), part), `${content(a.gitDir(APP), outside)}\n`);
    await a.read(APP);
    expect(await a.has(APP, secret)).toBe(false);
    await expect(fetches(place).pack()).rejects.toMatchObject({ code: "SOURCE_FAILED" });
    expect(await a.push(APP, [change("stolen", null, secret)])).toEqual({ "refs/heads/stolen": expect.any(String) });
    await pushes(a, "main", 1, first);
    await gc(a);
    await b.read(APP);
    await b.expectInLockstep(APP);
    await a.expectInLockstep(APP);
  });
});

describe("a scratch in which its caller names other alternates", () => {
  it("brings no object of theirs into the replica", async () => {
    await using place = await site();
    const { a, secret, outside } = place;
    const session = await beginSession(a, APP);
    await writeFile(join(session.path, "objects/info/alternates"), `${a.gitDir(APP)}/objects\n${outside}/objects\n`);
    await mkdir(join(session.path, "refs/heads"), { recursive: true });
    await writeFile(join(session.path, "refs/heads/stolen"), `${secret}\n`);
    await expect(bumpSession(a, APP, session.token)).rejects.toMatchObject({ code: "WRITE_DROPPED" });
    expect(await a.has(APP, secret)).toBe(false);
    expect(version(a)).toBe(1n);
  });

  it("is refused where it has a commondir", async () => {
    await using place = await site();
    const { a, outside } = place;
    const session = await beginSession(a, APP);
    await writeFile(join(session.path, "commondir"), `${outside}\n`);
    await expect(bumpSession(a, APP, session.token)).rejects.toMatchObject({
      code: "WRITE_DROPPED",
      cause: BORROWS,
    });
    expect(version(a)).toBe(1n);
  });
});
