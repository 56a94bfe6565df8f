import { randomBytes, randomUUID } from "node:crypto";
import { buffer } from "node:stream/consumers";
import { describe, expect, it, vi } from "vitest";
import type { PackStream } from "../../src/git/objects/send-pack.ts";
import { PackServer } from "../../src/sync/objects/serve-pack.ts";
import { processesAt } from "../support/git.ts";
import { LIMITS } from "../support/limits.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change, SOON, type TestDevice } from "../support/sync-device.ts";

const APP = "team/app";
const PLAIN = { version: "1", visit: "first" };
const never = new AbortController().signal;

/** A device with `one` and its child `two` on main. */
async function source(cluster: TestCluster): Promise<{ a: TestDevice; id: string; one: string; two: string }> {
  const [a] = await cluster.pair(APP);
  const one = await a.commit(APP, "one");
  const two = await a.commit(APP, "two", { parents: [one] });
  await a.push(APP, [change("main", null, two)]);
  return { a, id: a.replica(APP).id, one, two };
}

/** The ids of the objects in a pack, which must need nothing else. */
async function idsIn(device: TestDevice, { pack, done }: PackStream): Promise<string[]> {
  const [bytes] = await Promise.all([buffer(pack), done]);
  const target = await device.cluster.start("repo009");
  await target.cluster.create("team/target", [target]);
  await target.git("team/target", ["unpack-objects", "-q"], bytes);
  const listed = await target.git("team/target", ["cat-file", "--batch-all-objects", "--batch-check=%(objectname)"]);
  return listed.split("\n").filter(Boolean).sort();
}

describe("a pack for another device", () => {
  it("holds exactly what is wanted and not had", async () => {
    await using cluster = await TestCluster.make();
    const { a, id, one, two } = await source(cluster);
    const expected = await a.git(APP, ["rev-list", "--objects", "--no-object-names", two, `^${one}`]);
    const stream = await a.packs.open("repo002", { ...PLAIN, repositoryId: id, wants: [two], haves: [one] }, never);
    expect(await idsIn(a, stream)).toEqual(expected.split("\n").sort());
  });

  it("ignores ids that the other device claims to have and that this one does not know", async () => {
    await using cluster = await TestCluster.make();
    const { a, id, two } = await source(cluster);
    const expected = await a.git(APP, ["rev-list", "--objects", "--no-object-names", two]);
    const stream = await a.packs.open(
      "repo002",
      { ...PLAIN, repositoryId: id, wants: [two], haves: ["12".repeat(20)] },
      never,
    );
    expect(await idsIn(a, stream)).toEqual(expected.split("\n").sort());
  });

  it("is refused if this device lacks a wanted object", async () => {
    await using cluster = await TestCluster.make();
    const { a, id, two } = await source(cluster);
    const object = "12".repeat(20);
    const asked = { ...PLAIN, repositoryId: id, wants: [two, object], haves: [] };
    // As one that a ref once had.
    a.context.fetchable.note(id, [object]);
    await expect(a.packs.open("repo002", asked, never)).rejects.toMatchObject({
      code: "SOURCE_FAILED",
      details: { object },
    });
  });

  it("is made by a device that has not touched the repository since it started", async () => {
    await using cluster = await TestCluster.make();
    const { a, id, two } = await source(cluster);
    const again = await a.restart();
    const { pack, done } = await again.packs.open(
      "repo002",
      { ...PLAIN, repositoryId: id, wants: [two], haves: [] },
      never,
    );
    expect((await buffer(pack)).subarray(0, 4).toString()).toBe("PACK");
    await done;
  });

  it("is refused for a repository of which this device has no replica", async () => {
    await using cluster = await TestCluster.make();
    const { two, id } = await source(cluster);
    const c = await cluster.start("repo003");
    for (const repositoryId of [id, randomUUID()]) {
      await expect(
        c.packs.open("repo002", { ...PLAIN, repositoryId, wants: [two], haves: [] }, never),
      ).rejects.toMatchObject({
        code: "REPLICA_NOT_FOUND",
      });
    }
  });

  it("is refused if the request is malformed", async () => {
    await using cluster = await TestCluster.make();
    const { a, id, two } = await source(cluster);
    const good = { ...PLAIN, repositoryId: id, wants: [two], haves: [] };
    const bad = [
      null,
      "pack",
      [],
      {},
      { ...good, version: undefined },
      { ...good, version: 1 },
      { ...good, version: "-1" },
      { ...good, visit: undefined },
      { ...good, visit: "mine" },
      { ...good, repositoryId: "../../etc" },
      { ...good, repositoryId: "-".repeat(36) },
      { ...good, repositoryId: 7 },
      { ...good, wants: [] },
      { ...good, wants: two },
      { ...good, wants: ["--all"] },
      { ...good, wants: [`${two}\n--all`] },
      { ...good, wants: ["HEAD"] },
      { ...good, wants: [two.toUpperCase()] },
      { ...good, haves: undefined },
      { ...good, haves: [1] },
    ];
    await a.gitCommands();
    for (const body of bad) {
      await expect(a.packs.open("repo002", body, never), JSON.stringify(body)).rejects.toMatchObject({
        code: "INVALID_REQUEST",
      });
    }
    expect(await a.gitCommands()).toEqual([]);
  });

  it("is given up when the other device is gone: no git is left", async () => {
    await using cluster = await TestCluster.make();
    const { a, id } = await source(cluster);
    const big = await a.commit(APP, "big", { content: randomBytes(4_000_000) });
    a.context.fetchable.note(id, [big]);
    const gone = new AbortController();
    const { done } = await a.packs.open(
      "repo002",
      { ...PLAIN, repositoryId: id, wants: [big], haves: [] },
      gone.signal,
    );
    await vi.waitFor(async () => expect(await processesAt(a.gitDir(APP))).toHaveLength(1), SOON);
    gone.abort();
    await expect(done).rejects.toMatchObject({ code: "GIT_FAILED" });
    expect(await processesAt(a.gitDir(APP))).toEqual([]);
  });

  it("is one of eight at a time; a ninth device is sent elsewhere until one has ended", async () => {
    await using cluster = await TestCluster.make();
    const { a, id } = await source(cluster);
    const big = await a.commit(APP, "big", { content: randomBytes(1_000_000) });
    a.context.fetchable.note(id, [big, "12".repeat(20)]);
    const request = { ...PLAIN, repositoryId: id, wants: [big], haves: [] };
    const server = new PackServer(a.context, () => {}, LIMITS.portLimits.packs);
    const gone = new AbortController();
    const streams: PackStream[] = [];
    for (let count = 0; count < 8; count += 1) streams.push(await server.open("repo002", request, gone.signal));
    await expect(server.open("repo002", request, never)).rejects.toMatchObject({ code: "QUEUE_FULL" });
    // Refusals take no place.
    const unknown = { ...request, wants: ["12".repeat(20)] };
    await Promise.all([buffer(streams[0]!.pack), streams[0]!.done]);
    await expect(server.open("repo002", unknown, never)).rejects.toMatchObject({ code: "SOURCE_FAILED" });
    streams.push(await server.open("repo002", request, gone.signal));
    await expect(server.open("repo002", request, never)).rejects.toMatchObject({ code: "QUEUE_FULL" });
    gone.abort();
    await Promise.allSettled(streams.map(({ done }) => done));
    const { pack, done } = await server.open("repo002", request, never);
    await Promise.all([buffer(pack), done]);
  });
});
