import { execFile } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { readdir, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { holdAtCrashPoints } from "../../src/crash-points.ts";
import { listedPacks } from "../../src/git/packs/multi-pack-index.ts";
import { collectGarbage, type GcOptions } from "../../src/sync/upkeep/collect-garbage.ts";
import { abortSession, beginSession } from "../support/sessions.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change, SOON, type TestDevice } from "../support/sync-device.ts";

const APP = "team/app";
const run = promisify(execFile);
/** Every unreachable object that an earlier gc has found may go. */
const AT_ONCE = { keepUnreachableMs: -60_000 };

const gc = (device: TestDevice, options: Partial<GcOptions> = {}) =>
  collectGarbage(device.context, APP, { signal: device.context.signal, ...options });

const packDirectory = (device: TestDevice) => join(device.gitDir(APP), "objects", "pack");

async function packsOf(device: TestDevice, ending = ".pack"): Promise<string[]> {
  return (await readdir(packDirectory(device))).filter((file) => file.startsWith("pack-") && file.endsWith(ending));
}

/** Pushes commits, each with its parent, to a branch. Returns their ids. Each push leaves a pack, as an upload does. */
async function pushes(device: TestDevice, branch: string, count: number, from: string | null = null) {
  const ids: string[] = [];
  for (let index = 0; index < count; index += 1) {
    const tip: string | null = ids.at(-1) ?? from;
    const id = await device.commit(APP, `${branch} ${index}`, { parents: tip === null ? [] : [tip] });
    const old = ids.length > 0 || branch === "main" ? tip : null;
    expect(await device.push(APP, [change(branch, old, id)])).toEqual({ [`refs/heads/${branch}`]: null });
    await device.git(APP, ["repack", "-q"]);
    await device.git(APP, ["prune-packed"]);
    ids.push(id);
  }
  return ids as [string, ...string[]];
}

const has = async (device: TestDevice, id: string) =>
  await device.git(APP, ["cat-file", "-e", id]).then(
    () => true,
    () => false,
  );

/** A device whose repository has `main`, and the commits of a branch that is gone. */
async function withGone(device: TestDevice): Promise<{ main: string; gone: string }> {
  const main = (await pushes(device, "main", 3)).at(-1) as string;
  const gone = (await pushes(device, "gone", 2, main)).at(-1) as string;
  await device.push(APP, [change("gone", gone, null)]);
  return { main, gone };
}

const DAY = 24 * 60 * 60 * 1000;

/** Runs `work` with the clock of this process moved. */
async function at<Result>(ms: number, work: () => Promise<Result>): Promise<Result> {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + ms });
  try {
    return await work();
  } finally {
    vi.useRealTimers();
  }
}

/** Sets the times of all packs to a year ago. */
async function age(device: TestDevice): Promise<void> {
  const then = new Date(Date.now() - 365 * 24 * 60 * 60 * 1000);
  for (const file of await packsOf(device)) await utimes(join(packDirectory(device), file), then, then);
}

async function expectSound(device: TestDevice): Promise<void> {
  await device.git(APP, ["fsck", "--full", "--strict", "--connectivity-only"]);
  await device.git(APP, ["fsck", "--full", "--strict"]);
  await device.expectInLockstep(APP);
}

/** Holds the process at a point until the result is released. */
async function hold(cluster: TestCluster, point: string) {
  holdAtCrashPoints(cluster.dir);
  onTestFinished(() => holdAtCrashPoints(undefined));
  const path = join(cluster.dir, point);
  await writeFile(path, "");
  return {
    reached: () => vi.waitFor(() => stat(`${path}.reached`), SOON),
    release: () => rm(path),
  };
}

async function one(): Promise<{ cluster: TestCluster; device: TestDevice }> {
  const cluster = await TestCluster.make();
  onTestFinished(() => cluster[Symbol.asyncDispose]());
  const device = await cluster.start("repo001");
  return { cluster, device };
}

describe("gc of a replica", () => {
  it.each(["sha1", "sha256"] as const)(
    "leaves one pack, an index with a bitmap over it, and a graph of commits (%s)",
    async (objectFormat) => {
      const { cluster, device } = await one();
      await cluster.create(APP, [device], { objectFormat });
      await pushes(device, "main", 12);
      const outcome = await gc(device);
      expect(outcome).toMatchObject({ packed: "all", packsBefore: 12, packsAfter: 1, bitmap: true, postponed: "" });
      expect(await packsOf(device)).toHaveLength(1);
      expect([...(await listedPacks(packDirectory(device)))].map((name) => `${name}.pack`)).toEqual(
        await packsOf(device),
      );
      const files = await readdir(packDirectory(device));
      expect(files.filter((file) => file.endsWith(".bitmap"))).toHaveLength(1);
      await device.git(APP, ["multi-pack-index", "verify"]);
      await device.git(APP, ["commit-graph", "verify"]);
      await expectSound(device);
      expect(device.logged.map(({ msg }) => msg)).toContain("collected garbage");
    },
  );

  it("serves a clone from the bitmap", async () => {
    const { cluster, device } = await one();
    await cluster.create(APP, [device]);
    await pushes(device, "main", 12);
    await gc(device);
    const trace = join(cluster.dir, "trace");
    const env = { ...process.env, GIT_TRACE2_EVENT: trace, GIT_CONFIG_NOSYSTEM: "1", GIT_CONFIG_GLOBAL: "/dev/null" };
    await run("git", ["clone", "-q", "--bare", `file://${device.gitDir(APP)}`, join(cluster.dir, "clone")], { env });
    // git reads this only for the bitmap.
    expect((await readFile(trace, "utf8")).includes("load_midx_revindex")).toBe(true);
  });

  it("packs an empty repository, and one that is packed already", async () => {
    const { cluster, device } = await one();
    await cluster.create(APP, [device]);
    expect(await gc(device)).toMatchObject({ packsAfter: 0 });
    await pushes(device, "main", 3);
    await gc(device, { all: true });
    const before = await packsOf(device);
    expect(await gc(device, { all: true })).toMatchObject({ packsBefore: 1, packsAfter: 1, bitmap: true });
    expect(await packsOf(device)).toEqual(before);
    await expectSound(device);
  });

  it("joins only the small packs when a large one is there, and lists them all in one index", async () => {
    const { cluster, device } = await one();
    await cluster.create(APP, [device]);
    const [tip] = (await pushes(device, "main", 30)).slice(-1);
    await gc(device, { all: true });
    const [large] = await packsOf(device);
    await pushes(device, "main", 4, tip);
    const outcome = await gc(device);
    expect(outcome).toMatchObject({ packed: "some", packsBefore: 5, packsAfter: 2, bitmap: true });
    expect(await packsOf(device)).toContain(large);
    expect((await listedPacks(packDirectory(device))).size).toBe(2);
    await device.git(APP, ["multi-pack-index", "verify"]);
    await expectSound(device);
  });

  it("keeps objects that only refs of Lockstep, a work tree or a reflog reach", async () => {
    const { cluster, device } = await one();
    await cluster.create(APP, [device]);
    const [tip] = await pushes(device, "main", 1);
    const kept: string[] = [];
    for (const ref of ["staged/1/0", "dropped/w/heads/x", "lost/3/heads/y"]) {
      kept.push(await device.commit(APP, ref, { parents: [tip] }));
      await device.git(APP, ["update-ref", `refs/lockstep/${ref}`, kept.at(-1) as string]);
    }
    kept.push(await device.commit(APP, "detached", { parents: [tip] }));
    await device.git(APP, ["worktree", "add", "-q", "--detach", join(cluster.dir, "work tree"), kept.at(-1) as string]);
    await gc(device);
    await gc(device, { all: true, ...AT_ONCE });
    for (const id of kept) expect(await has(device, id)).toBe(true);
    await device.git(APP, ["fsck", "--full", "--strict"]);
  });

  it("leaves a pack with a .keep alone, and one that is being received", async () => {
    const { cluster, device } = await one();
    await cluster.create(APP, [device]);
    const tip = (await pushes(device, "main", 2)).at(-1) as string;
    const [kept] = await packsOf(device);
    await writeFile(join(packDirectory(device), kept!.replace(".pack", ".keep")), "mine\n");
    await pushes(device, "main", 3, tip);
    expect(await gc(device, { all: true })).toMatchObject({ packsAfter: 2, bitmap: true });
    expect(await packsOf(device)).toContain(kept);
    await expectSound(device);
  });

  it("stops when it is told to, and leaves everything as it was", async () => {
    const { cluster, device } = await one();
    await cluster.create(APP, [device]);
    await pushes(device, "main", 4);
    const before = await readdir(packDirectory(device));
    const held = await hold(cluster, "gc.made");
    const stop = new AbortController();
    const stopped = expect(gc(device, { signal: stop.signal })).rejects.toThrow("enough");
    await held.reached();
    stop.abort(new Error("enough"));
    await held.release();
    await stopped;
    expect(await readdir(packDirectory(device))).toEqual(before);
    await expectSound(device);
    expect(await gc(device)).toMatchObject({ packsAfter: 1 });
  });

  it("stops the git that packs at that moment", async () => {
    const { cluster, device } = await one();
    await cluster.create(APP, [device]);
    await pushes(device, "main", 4);
    const before = await readdir(packDirectory(device));
    await device.beforeGit('case "$*" in *pack-objects*) exec sleep 600;; esac');
    const stop = new AbortController();
    const stopped = expect(gc(device, { signal: stop.signal })).rejects.toThrow("enough");
    await vi.waitFor(async () => expect((await device.gitCommands()).join()).toContain("pack-objects"), SOON);
    stop.abort(new Error("enough"));
    await stopped;
    await device.beforeGit("");
    expect(await readdir(packDirectory(device))).toEqual(before);
    await expectSound(device);
  });
});

describe("unreachable objects", () => {
  it("stay for two weeks from the gc that found them, however old their pack is", async () => {
    const { cluster, device } = await one();
    await cluster.create(APP, [device]);
    const { gone } = await withGone(device);
    await age(device);
    await gc(device, { all: true });
    expect(await packsOf(device, ".mtimes")).toHaveLength(1);
    expect(await gc(device, { all: true })).toMatchObject({ removedObjects: 0 });
    expect(await has(device, gone)).toBe(true);
    await expectSound(device);
  });

  it("go when that time has passed, and nothing else goes", async () => {
    const { cluster, device } = await one();
    await cluster.create(APP, [device]);
    const { gone, main } = await withGone(device);
    await gc(device);
    expect(await gc(device, { all: true, ...AT_ONCE })).toMatchObject({
      packsAfter: 1,
      removedObjects: 6,
      postponed: "",
    });
    expect(await has(device, gone)).toBe(false);
    expect(await has(device, main)).toBe(true);
    await expectSound(device);
  });

  it("stay when a younger one needs them", async () => {
    const { cluster, device } = await one();
    await cluster.create(APP, [device]);
    const { gone } = await withGone(device);
    await at(-20 * DAY, () => gc(device));
    const young = await device.commit(APP, "young", { parents: [gone] });
    await gc(device, { all: true });
    expect(await has(device, young)).toBe(true);
    expect(await has(device, gone)).toBe(true);
  });

  it.each([
    [13, true],
    [15, false],
  ])("that gc found %i days ago: they are still there: %s", async (days, stay) => {
    const { cluster, device } = await one();
    await cluster.create(APP, [device]);
    const { gone } = await withGone(device);
    await at(-days * DAY, () => gc(device));
    await gc(device, { all: true });
    expect(await has(device, gone)).toBe(stay);
  });

  it("come back with a ref: then they belong to everything else again", async () => {
    const { cluster, device } = await one();
    await cluster.create(APP, [device]);
    const { gone } = await withGone(device);
    await gc(device);
    expect(await device.push(APP, [change("back", null, gone)])).toEqual({ "refs/heads/back": null });
    expect(await gc(device, { all: true, ...AT_ONCE })).toMatchObject({ packsAfter: 1 });
    expect(await packsOf(device, ".mtimes")).toEqual([]);
    await expectSound(device);
  });

  it("stay when a push makes them reachable at the moment in which they are to go", async () => {
    const { cluster, device } = await one();
    await cluster.create(APP, [device]);
    const { gone } = await withGone(device);
    await gc(device);
    const held = await hold(cluster, "gc.pruning");
    const collected = gc(device, { all: true, ...AT_ONCE });
    await held.reached();
    expect(await device.push(APP, [change("back", null, gone)])).toEqual({ "refs/heads/back": null });
    await held.release();
    expect(await collected).toMatchObject({ removedObjects: 0, postponed: "a ref has come to need one of them" });
    await expectSound(device);
    expect(await gc(device, { all: true, ...AT_ONCE })).toMatchObject({ packsAfter: 1 });
    await expectSound(device);
  });

  it("stay while a push that has found them is about to land, and after that", async () => {
    const { cluster, device } = await one();
    await cluster.create(APP, [device]);
    const { gone } = await withGone(device);
    await gc(device);
    let goOn = () => {};
    const staging = new Promise<void>((resolve) => {
      device.onStatement = async (text, run) => {
        if (!text.includes("stage_write")) return await run();
        resolve();
        await new Promise<void>((go) => {
          goOn = go;
        });
        return await run();
      };
    });
    const pushed = device.push(APP, [change("back", null, gone)]);
    await staging;
    device.onStatement = (_, run) => run();
    const collected = gc(device, { all: true, ...AT_ONCE });
    await vi.waitFor(async () => expect(await listedPacks(packDirectory(device))).toHaveProperty("size", 1), SOON);
    expect(await has(device, gone)).toBe(true);
    goOn();
    expect(await pushed).toEqual({ "refs/heads/back": null });
    expect(await collected).toMatchObject({ removedObjects: 0 });
    await expectSound(device);
  });

  it("stay while a write session has a scratch, which may build on them", async () => {
    const { cluster, device } = await one();
    await cluster.create(APP, [device]);
    const { gone } = await withGone(device);
    await gc(device);
    const session = await beginSession(device, APP);
    expect(await gc(device, { all: true, ...AT_ONCE })).toMatchObject({ postponed: "a write session is open" });
    expect(await has(device, gone)).toBe(true);
    await abortSession(device, APP, session.token);
    expect(await gc(device, { all: true, ...AT_ONCE })).toMatchObject({ postponed: "", removedObjects: 6 });
    await expectSound(device);
  });

  it("stay on a device whose replica came into doubt meanwhile, since its log may need them", async () => {
    const { cluster, device } = await one();
    await cluster.create(APP, [device]);
    const { gone } = await withGone(device);
    await gc(device);
    const held = await hold(cluster, "gc.pruning");
    const collected = gc(device, { all: true, ...AT_ONCE });
    await held.reached();
    await device.replica(APP).mutex.distrust();
    await held.release();
    expect(await collected).toMatchObject({ removedObjects: 0 });
    expect(await has(device, gone)).toBe(true);
  });

  it("that a catch-up finds here stay until its refs are there", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await cluster.pair(APP);
    const { gone } = await withGone(a);
    await b.read(APP);
    // b has these objects, and no ref that reaches them.
    await b.git(APP, ["-c", "fetch.unpackLimit=1", "fetch", "-q", "--no-write-fetch-head", a.gitDir(APP), gone]);
    await gc(b);
    const made = await hold(cluster, "gc.made");
    const collected = gc(b, { all: true, ...AT_ONCE });
    await made.reached();
    const fetched = await hold(cluster, "catch-up.fetched");
    await a.push(APP, [change("back", null, gone)]);
    // Objects that were pushed here are not fetched again.
    await cluster.sql(
      "update lockstep.ref_log set device = $1 where version = (select max(version) from lockstep.ref_log)",
      [b.name],
    );
    const read = b.read(APP);
    await fetched.reached();
    expect(b.replica(APP).objects.idle).toBe(false);
    await made.release();
    await vi.waitFor(async () => expect(await packsOf(b)).toHaveLength(2), SOON);
    expect(await has(b, gone)).toBe(true);
    await fetched.release();
    await read;
    expect(await collected).toMatchObject({ removedObjects: 0 });
    await expectSound(b);
  });

  it("stay or go as a whole when the process dies in the moment in which they go", async () => {
    const { cluster, device } = await one();
    await cluster.create(APP, [device]);
    const { gone } = await withGone(device);
    await gc(device);
    const held = await hold(cluster, "gc.pruning");
    const collected = gc(device, { all: true, ...AT_ONCE }).catch(() => {});
    await held.reached();
    await device.crash();
    await held.release();
    await collected;
    const next = await device.restart();
    await next.read(APP);
    await expectSound(next);
    expect(await gc(next, { all: true, ...AT_ONCE })).toMatchObject({ postponed: "" });
    expect(await has(next, gone)).toBe(false);
    await expectSound(next);
  });
});

it("goes on beside pushes, reads and clones without a failure, and the replica is sound afterwards", async () => {
  await using cluster = await TestCluster.make();
  const [a, b] = await cluster.pair(APP);
  let tip = (await pushes(a, "main", 3)).at(-1) as string;
  const commits: string[] = [];
  for (let index = 0; index < 30; index += 1)
    commits.push(await a.commit(APP, `commit ${index}`, { parents: [commits.at(-1) ?? tip] }));
  // Here unreachable objects go at once, so those that are about to be pushed need a ref.
  await a.git(APP, ["update-ref", "refs/lockstep/staged/1/0", commits.at(-1) as string]);
  const over = new AbortController();
  const loop = async (work: () => Promise<unknown>) => {
    while (!over.signal.aborted) await work();
  };
  onTestFinished(() => over.abort());
  let clones = 0;
  const cloning = loop(async () => {
    const to = join(cluster.dir, `clone${clones}`);
    clones += 1;
    await run("git", ["clone", "-q", "--bare", `file://${a.gitDir(APP)}`, to], {
      env: { ...process.env, GIT_CONFIG_NOSYSTEM: "1", GIT_CONFIG_GLOBAL: "/dev/null" },
    });
    await run("git", ["--git-dir", to, "fsck", "--full"]);
  });
  let collections = 0;
  const collected = new EventEmitter();
  const collecting = loop(async () => {
    await gc(collections % 2 === 0 ? a : b, { all: collections % 3 > 0, keepUnreachableMs: collections % 5 ? 0 : 1e9 });
    collections += 1;
    collected.emit("gc");
  });
  const reading = loop(() => b.read(APP));
  for (const next of commits) {
    const topic = await a.commit(APP, `topic of ${next}`, { parents: [tip] });
    await a.push(APP, [change("topic", null, topic)]);
    await a.push(APP, [change("topic", topic, null)]);
    expect(await a.push(APP, [change("main", tip, next)])).toEqual({ "refs/heads/main": null });
    tip = next;
  }
  const enough = async () => {
    while (collections < 4) await once(collected, "gc");
    over.abort();
  };
  await Promise.all([cloning, collecting, reading, enough()]);
  expect(clones).toBeGreaterThan(0);
  for (const device of [a, b]) {
    await device.read(APP);
    await expectSound(device);
  }
});
