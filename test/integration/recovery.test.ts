// After a sidecar was killed, the first touch of a replica makes its refs what the log says.
import { stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { doubtReplicaRecord } from "../../src/git/root/root-record.ts";
import { landWrite } from "../../src/store/write/writes.ts";
import { Follower } from "../../src/sync/catch-up/follower.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change, SOON, type TestDevice } from "../support/sync-device.ts";
import { APP, file, writeRows } from "../support/undecided-write.ts";

const DAY_MS = 24 * 60 * 60 * 1000;

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
