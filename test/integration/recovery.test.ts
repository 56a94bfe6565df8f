import { randomUUID } from "node:crypto";
import { mkdir, rm, stat, utimes, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { differenceOf } from "../../src/digest.ts";
import type { RefUpdate } from "../../src/domain.ts";
import { doubtReplicaRecord } from "../../src/git/root/root-record.ts";
import { landWrite, stageWrite } from "../../src/store/write/writes.ts";
import { Follower } from "../../src/sync/catch-up/follower.ts";
import { honest } from "../support/device-parts.ts";
import { latch } from "../support/latch.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change, SOON, type TestDevice } from "../support/sync-device.ts";

const APP = "team/app";
const DAY_MS = 24 * 60 * 60 * 1000;
/** What a push has done in the database when its sidecar is killed: staged it, and perhaps decided it. */
async function writeRows(device: TestDevice, updates: readonly RefUpdate[], decided: boolean): Promise<string> {
  const { context } = device;
  const { id, applied } = device.replica(APP);
  const row = { writeId: randomUUID(), repositoryId: id, base: applied! };
  const staged = await stageWrite(context.db, context.me, {
    ...row,
    author: "ada",
    names: updates.map(({ name }) => name),
  });
  if (staged.outcome !== "staged") throw new Error(staged.outcome);
  const difference = differenceOf(staged.digestKey, updates);
  if (decided)
    expect(await landWrite(context.db, context.me, { ...row, difference, updates })).toMatchObject({
      outcome: "landed",
    });
  return row.writeId;
}
const file = async (path: string, content: string | Buffer = "") => {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
};

it("a replica is repaired in the background after a start if its note says in doubt: a write may have been under way", async () => {
  await using cluster = await TestCluster.make();
  const [a] = await cluster.pair(APP);
  await a.push(APP, [change("main", null, await a.commit(APP, "one"))]);
  await vi.waitFor(() => expect(a.replica(APP).recorded).toBe(1n), SOON);
  // What a write leaves that had no row when its sidecar was killed.
  await doubtReplicaRecord(a.gitDir(APP));
  await file(join(a.gitDir(APP), "refs/heads/main.lock"));
  await a.crash();
  const again = await a.restart();
  await new Follower(again.context).onStart([]);
  await vi.waitFor(async () => expect(await again.leftovers(APP)).toEqual([]), SOON);
  await vi.waitFor(() => expect(again.replica(APP).applied).toBe(1n), SOON);
  await again.expectInLockstep(APP);
});

describe("after a sidecar was killed in a push", () => {
  interface Point {
    readonly decided: boolean;
    /** Makes what git had made by then. */
    readonly disk: (a: TestDevice, one: string, two: string) => Promise<void>;
  }
  const lock = async (a: TestDevice, name: string, id: string) => file(join(a.gitDir(APP), `${name}.lock`), `${id}\n`);
  const prepared = async (a: TestDevice, one: string, two: string) => {
    await lock(a, "refs/heads/main", two);
    await lock(a, "refs/heads/topic", two);
    await lock(a, "refs/heads/deep/new", one);
    await lock(a, "HEAD", one);
    await file(join(a.gitDir(APP), "packed-refs.lock"), "# pack-refs with: peeled\n");
    await file(join(a.gitDir(APP), "packed-refs.new"), "");
  };
  const points: Record<string, Point> = {
    staged: { decided: false, disk: async () => {} },
    prepared: { decided: false, disk: prepared },
    decided: { decided: true, disk: prepared },
    "in the middle of the refs": {
      decided: true,
      disk: async (a, one, two) => {
        await a.git(APP, ["update-ref", "refs/heads/main", two]);
        await lock(a, "refs/heads/topic", two);
        await lock(a, "refs/heads/deep/new", one);
      },
    },
    "written but not noted": {
      decided: true,
      disk: async (a, one, two) => {
        const refs = ["refs/heads/main", "refs/heads/topic"].map((name) => `update ${name} ${two}\n`).join("");
        await a.git(
          APP,
          ["update-ref", "--stdin"],
          `${refs}create refs/heads/deep/new ${one}\ndelete refs/heads/gone\n`,
        );
      },
    },
  };

  it.each(Object.entries(points))(
    "%s: the first touch makes the refs what the log says",
    async (_, { decided, disk }) => {
      await using cluster = await TestCluster.make();
      const [a] = await cluster.pair(APP);
      const [one, two, three] = await a.history(APP);
      await a.push(APP, [change("main", null, one), change("topic", null, one), change("gone", null, one)]);
      await a.git(APP, ["pack-refs", "--all"]);
      const updates = [
        change("main", one, two),
        change("topic", one, two),
        change("gone", one, null),
        change("deep/new", null, one),
      ];
      const write = await writeRows(a, updates, decided);
      await disk(a, one, two);
      const again = await a.restart();
      expect(await again.read(APP)).toMatchObject({ version: decided ? 2n : 1n, fetched: true });
      await again.expectInLockstep(APP);
      expect(await again.refs(APP)).toMatchObject({ "refs/heads/main": decided ? two : one });
      expect(again.packRequests).toEqual([]);
      expect(await cluster.sql("select status from lockstep.write where id = $1", [write])).toEqual([
        { status: decided ? "landed" : "dropped" },
      ]);
      expect(await again.push(APP, [change("main", decided ? two : one, three)])).toEqual({ "refs/heads/main": null });
      await again.expectInLockstep(APP);
      const b = cluster.devices.get("repo002")!;
      await b.read(APP);
      await b.expectInLockstep(APP);
    },
  );

  it("a write of the old incarnation cannot land any more, however late its statement comes", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await cluster.pair(APP);
    const [one] = await a.history(APP);
    const writeId = await writeRows(a, [change("main", null, one)], false);
    const zombie = a.context.me;
    const again = await a.restart();
    const request = {
      writeId,
      repositoryId: (await again.read(APP)).replica.id,
      base: 0n,
      difference: Buffer.alloc(32),
      updates: [change("main", null, one)],
    };
    expect(await landWrite(again.context.db, zombie, request)).toEqual({ outcome: "fenced" });
    expect(await landWrite(again.context.db, again.context.me, request)).toEqual({ outcome: "dropped" });
    await again.expectInLockstep(APP);
  });

  it("removes quarantines and locks of every name, and nothing that may be somebody else's", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await cluster.pair(APP);
    const [one] = await a.history(APP);
    await a.push(APP, [change("main", null, one)]);
    const dir = a.gitDir(APP);
    const objects = join(dir, "objects");
    await file(join(objects, "tmp_objdir-lockstep-abc123", "pack", "tmp_pack_1"), "PACK");
    await file(join(objects, "tmp_objdir-incoming-young", "pack", "tmp_pack_1"), "PACK");
    await file(join(objects, "tmp_objdir-incoming-old", "ab", "object"), "x");
    await file(join(objects, "tmp_objdir-incoming-slow", "ab", "object"), "x");
    const long = new Date(Date.now() - DAY_MS - 60_000);
    for (const path of ["tmp_objdir-incoming-old/ab/object", "tmp_objdir-incoming-old/ab", "tmp_objdir-incoming-old"])
      await utimes(join(objects, path), long, long);
    // An upload that goes on: only what it writes to is young.
    for (const path of ["tmp_objdir-incoming-slow/ab", "tmp_objdir-incoming-slow"])
      await utimes(join(objects, path), long, long);
    await file(join(dir, "config.lock"));
    await file(join(dir, "gc.pid"));
    await file(join(dir, "refs/tags/deep/er/v1.lock"));
    // As git calls a half-written table of refs, which a branch may be called too.
    await a.push(APP, [change("0x1-0x1-1.ref.temp.aB3dE6", null, one)]);
    const latin1 = Buffer.concat([Buffer.from(join(dir, "refs/heads/")), Buffer.from("caf\xe9.lock", "latin1")]);
    await writeFile(latin1, "");
    const again = await a.restart();
    await again.read(APP);
    expect(await again.leftovers(APP)).toEqual([
      "config.lock",
      "objects/tmp_objdir-incoming-slow",
      "objects/tmp_objdir-incoming-slow/ab",
      "objects/tmp_objdir-incoming-slow/ab/object",
      "objects/tmp_objdir-incoming-young",
      "objects/tmp_objdir-incoming-young/pack",
      "objects/tmp_objdir-incoming-young/pack/tmp_pack_1",
    ]);
    expect((await stat(join(dir, "gc.pid"))).isFile()).toBe(true);
    expect(await again.refs(APP)).toHaveProperty(["refs/heads/0x1-0x1-1.ref.temp.aB3dE6"], one);
    expect(await again.push(APP, [change("refs/heads/caf\xe9", null, one)])).toEqual({ "refs/heads/caf\xe9": null });
  });
});

describe("recovery that is itself interrupted", () => {
  it("while it fetches begins again", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await cluster.pair(APP);
    const [one] = await a.history(APP);
    await a.push(APP, [change("main", null, one)]);
    await b.crash();
    await rm(join(b.gitDir(APP), "lockstep.version"));
    await file(join(b.gitDir(APP), "refs/heads/main.lock"));
    const second = await b.restart();
    const { opened: asking, open: asked } = latch();
    second.openPack = async (_peer, _request, signal) => {
      asked();
      return await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    };
    const read = second.read(APP).catch((error: unknown) => error);
    await asking;
    const third = await second.restart();
    expect(await read).toMatchObject({ code: "SHUTTING_DOWN" });
    third.openPack = honest(cluster);
    expect(await third.read(APP)).toMatchObject({ version: 1n });
    await third.expectInLockstep(APP);
  });

  it("between two steps of applying the refs begins again", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await cluster.pair(APP);
    const [one, two] = await a.history(APP);
    await a.push(APP, [change("x", null, one), change("other", null, one)]);
    await b.read(APP);
    await a.push(APP, [change("x", one, null), change("other", one, two)]);
    await a.push(APP, [change("x/y", null, two)]);
    await b.crash();
    await rm(join(b.gitDir(APP), "lockstep.version"));
    const second = await b.restart();
    // Where git may note authors, each transaction has a git of its own.
    await mkdir(join(b.gitDir(APP), "logs"));
    // The deletion that makes room is done, the rest is not.
    const mark = join(cluster.dir, "mark");
    await second.beforeGit(`case "$*" in update-ref*) if [ -e ${mark} ]; then exit 1; fi; : > ${mark};; esac`);
    await expect(second.read(APP)).rejects.toMatchObject({ code: "GIT_FAILED" });
    expect(await second.refs(APP)).toEqual({ HEAD: "ref: refs/heads/main", "refs/heads/other": one });
    const third = await second.restart();
    expect(await third.read(APP)).toMatchObject({ version: 3n });
    await third.expectInLockstep(APP);
    const fourth = await third.restart();
    await fourth.read(APP);
    await fourth.expectInLockstep(APP);
  });

  it("recovery that is itself interrupted in the middle of the objects begins again", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await cluster.pair(APP);
    const [one] = await a.history(APP);
    await a.push(APP, [change("main", null, one)]);
    await b.beforeGit('case "$*" in index-pack*) kill -9 $$;; esac');
    await expect(b.read(APP)).rejects.toMatchObject({ code: "NO_SOURCE" });
    expect(await b.leftovers(APP)).toEqual([]);
    const again = await b.restart();
    expect(await again.read(APP)).toMatchObject({ version: 1n });
    await again.expectInLockstep(APP);
  });
});
