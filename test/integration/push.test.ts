import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { toLatin1 } from "../../src/domain.ts";
import { ref } from "../support/refs.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change, SOON } from "../support/sync-device.ts";
import { isBump, log, writes } from "../support/write-rows.ts";

const APP = "team/app";
const CAFE = "refs/heads/caf\xe9";

describe("a push", () => {
  it("onto a disk that takes no note of it is refused before the decision, and lands when it does", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await cluster.pair(APP);
    const [one, two] = await a.history(APP);
    await a.push(APP, [change("main", null, one)]);
    const inTheWay = join(a.gitDir(APP), "lockstep.version");
    await rm(inTheWay);
    await mkdir(inTheWay);
    const refused = { code: "REPLICA_IN_DOUBT", details: { path: expect.stringContaining("lockstep.version") } };
    await expect(a.push(APP, [change("main", one, two)])).rejects.toMatchObject(refused);
    expect(await writes(cluster)).toHaveLength(1);
    // As after a start: the next write is staged.
    a.replica(APP).digestKey = undefined;
    await expect(a.push(APP, [change("main", one, two)])).rejects.toMatchObject(refused);
    expect(await log(cluster)).toHaveLength(1);
    await rm(inTheWay, { recursive: true });
    await vi.waitFor(async () => expect((await writes(cluster)).at(-1)).toMatchObject({ status: "dropped" }), SOON);
    expect(await a.push(APP, [change("main", one, two)])).toEqual({ "refs/heads/main": null });
    await a.expectInLockstep(APP);
  });

  it("creates, moves and deletes refs, each push one version with its author", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await cluster.pair(APP);
    const [one, two] = await a.history(APP);
    const tag = await a.git(APP, ["mktag"], `object ${one}\ntype commit\ntag v1\ntagger Ada <a@b> 0 +0000\n\nv1\n`);
    await a.push(APP, [change("main", null, one), change("topic", null, one)], { author: "ada" });
    await a.push(APP, [change("main", one, two), change("refs/tags/v1", null, tag)], { author: "grace" });
    const report = await a.push(APP, [change("topic", one, null), change("main", two, one)], { author: "mary" });
    expect(report).toEqual({ "refs/heads/topic": null, "refs/heads/main": null });
    expect(await a.refs(APP)).toEqual({ HEAD: "ref: refs/heads/main", "refs/heads/main": one, "refs/tags/v1": tag });
    expect(await log(cluster)).toEqual([
      { version: "1", device: "repo001", author: "ada", names: ["refs/heads/main", "refs/heads/topic"] },
      { version: "2", device: "repo001", author: "grace", names: ["refs/heads/main", "refs/tags/v1"] },
      { version: "3", device: "repo001", author: "mary", names: ["refs/heads/main", "refs/heads/topic"] },
    ]);
    expect((await writes(cluster)).map(({ status }) => status)).toEqual(["landed", "landed", "landed"]);
    await a.expectInLockstep(APP);
  });

  it("is accepted and makes no version if it changes nothing", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await cluster.pair(APP);
    const [one] = await a.history(APP);
    await a.push(APP, [change("main", null, one)]);
    expect(await a.push(APP, [change("main", one, one), change("never", null, null)])).toEqual({
      "refs/heads/main": null,
      "refs/heads/never": null,
    });
    expect(await log(cluster)).toHaveLength(1);
    await a.expectInLockstep(APP);
  });

  it("leaves no-op updates out of a version that changes other refs", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await cluster.pair(APP);
    const [one, two] = await a.history(APP);
    await a.push(APP, [change("main", null, one), change("still", null, one)]);
    await a.push(APP, [change("main", one, two), change("still", one, one)]);
    expect((await log(cluster)).at(-1)).toMatchObject({ names: [ref("refs/heads/main")] });
    await a.expectInLockstep(APP);
  });

  it('is told "fetch first" for a ref whose old value is wrong, and its other refs land', async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await cluster.pair(APP);
    const [one, two, three] = await a.history(APP);
    await a.push(APP, [change("main", null, one)]);
    await b.read(APP);
    await a.push(APP, [change("main", one, two)]);
    const late = await b.commit(APP, "late", { parents: [one] });
    const report = await b.push(APP, [
      change("main", one, late),
      change("topic", null, late),
      change("absent", three, late),
      change("gone", late, null),
    ]);
    expect(report).toEqual({
      "refs/heads/main": "fetch first",
      "refs/heads/topic": null,
      "refs/heads/absent": "fetch first",
      "refs/heads/gone": "fetch first",
    });
    expect(await b.refs(APP)).toEqual({
      HEAD: "ref: refs/heads/main",
      "refs/heads/main": two,
      "refs/heads/topic": late,
    });
    await b.expectInLockstep(APP);
  });

  it("a push with --atomic lands as a whole or not at all", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await cluster.pair(APP);
    const [one, two] = await a.history(APP);
    await a.push(APP, [change("main", null, one)]);
    const blob = await a.git(APP, ["hash-object", "-w", "--stdin"], "no commit");
    for (const [bad, reason] of [
      [change("stale", two, one), "fetch first"],
      [change("blob", null, blob), "not a commit"],
      [change("main/below", null, one), "conflicts with an existing ref"],
      [change("refs/lockstep/x", null, one), "refs/lockstep/ belongs to Lockstep"],
    ] as const) {
      const report = await a.push(APP, [change("main", one, two), bad, change("new", null, two)], { atomic: true });
      expect(Object.values(report)).toContain("atomic push failure");
      expect(Object.values(report)).not.toContain(null);
      expect([reason, "atomic push failure"]).toContain(report[toLatin1(bad.name)]);
    }
    expect(await log(cluster)).toHaveLength(1);
    expect(await a.push(APP, [change("main", one, two), change("new", null, two)], { atomic: true })).toEqual({
      "refs/heads/main": null,
      "refs/heads/new": null,
    });
    await a.expectInLockstep(APP);
  });

  it("works on names that are not UTF-8, and refuses one of them alone", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await cluster.pair(APP);
    const [one, two] = await a.history(APP);
    await a.push(APP, [change(CAFE, null, one)]);
    expect(
      await a.push(APP, [change(CAFE, one, two), change(`${CAFE}/below`, null, one), change("ok", null, one)]),
    ).toEqual({
      [CAFE]: null,
      [`${CAFE}/below`]: "conflicts with an existing ref",
      "refs/heads/ok": null,
    });
    await a.expectInLockstep(APP);
  });
});

describe("a pusher who is gone", () => {
  it("a push whose pusher goes before the decision writes nothing", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await cluster.pair(APP);
    const [one] = await a.history(APP);
    const gone = new AbortController();
    a.onStatement = async (text, run) => {
      const result = await run();
      if (text.includes("stage_write")) gone.abort();
      return result;
    };
    const pushed = a.push(APP, [change("main", null, one)], { pusher: { gone: gone.signal } });
    await expect(pushed).rejects.toMatchObject({ code: "WRITE_DROPPED" });
    await vi.waitFor(
      async () =>
        expect(await writes(cluster)).toEqual([
          { status: "dropped", version: null, drop_reason: "the pusher was gone before the decision" },
        ]),
      SOON,
    );
    expect(await a.refs(APP)).toEqual({ HEAD: "ref: refs/heads/main" });
    a.onStatement = (_, run) => run();
    expect(await a.push(APP, [change("main", null, one)])).toEqual({ "refs/heads/main": null });
    await a.expectInLockstep(APP);
  });

  it("a push whose pusher goes after the decision lands all the same", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await cluster.pair(APP);
    const [one] = await a.history(APP);
    const gone = new AbortController();
    a.onStatement = async (text, run) => {
      if (isBump(text)) gone.abort();
      return await run();
    };
    expect(await a.push(APP, [change("main", null, one)], { pusher: { gone: gone.signal } })).toEqual({
      "refs/heads/main": null,
    });
    await a.expectInLockstep(APP);
  });
});
