import { execFile } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { listedPacks } from "../../src/git/packs/multi-pack-index.ts";
import {
  APP,
  AT_ONCE,
  expectSound,
  gc,
  has,
  hold,
  one,
  packDirectory,
  packsOf,
  pushes,
} from "../support/collecting.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change, SOON } from "../support/sync-device.ts";

const run = promisify(execFile);

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
