import { mkdir, rm, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { toLatin1 } from "../../src/domain.ts";
import { landWrite, stageWrite } from "../../src/store/write/writes.ts";
import { ref } from "../support/refs.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change, SOON } from "../support/sync-device.ts";
import { isBump, log, writes } from "../support/write-rows.ts";

const APP = "team/app";
const CAFE = "refs/heads/caf\xe9";

/** A ticket is given back in the background. */
async function expectTurns(cluster: TestCluster, devices: readonly string[]): Promise<void> {
  await vi.waitFor(async () => {
    const rows = await cluster.sql<{ device: string }>("select device from lockstep.turn");
    expect(rows.map(({ device }) => device)).toEqual(devices);
  }, SOON);
}

describe("a push", () => {
  it("onto a disk that takes no note of it is dropped before the decision, and lands when it does", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await cluster.pair(APP);
    const [one, two] = await a.history(APP);
    await a.push(APP, [change("main", null, one)]);
    const inTheWay = join(a.gitDir(APP), "lockstep.version.new");
    await mkdir(inTheWay);
    await expect(a.push(APP, [change("main", one, two)])).rejects.toThrow();
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

  it("with --atomic lands as a whole or not at all", async () => {
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
  it("before the decision: nothing is written", async () => {
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

  it("after the decision: the push lands all the same", async () => {
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

describe("pushes on several devices at once", () => {
  it("all land when they touch different refs, with dense versions", async () => {
    await using cluster = await TestCluster.make();
    const devices = await cluster.pair(APP);
    const pushes = devices.flatMap((device) =>
      Array.from({ length: 8 }, async (_, index) => {
        const id = await device.commit(APP, `${device.name} ${index}`);
        return await device.push(APP, [change(`${device.name}/${index}`, null, id)]);
      }),
    );
    for (const report of await Promise.all(pushes)) expect(Object.values(report)).toEqual([null]);
    expect((await log(cluster)).map(({ version }) => version)).toEqual(
      Array.from({ length: 16 }, (_, index) => String(index + 1)),
    );
    for (const device of devices) {
      await device.read(APP);
      await device.expectInLockstep(APP);
    }
    await expectTurns(cluster, []);
  });

  it("land once when they touch the same ref, and the others are told to fetch", async () => {
    await using cluster = await TestCluster.make();
    const devices = await cluster.pair(APP);
    const pushes = devices.flatMap((device) =>
      Array.from({ length: 4 }, async (_, index) => {
        const id = await device.commit(APP, `${device.name} ${index}`);
        return await device.push(APP, [change("main", null, id)]);
      }),
    );
    const reasons = (await Promise.all(pushes)).map((report) => report["refs/heads/main"]);
    expect(reasons.sort()).toEqual([...Array(7).fill("fetch first"), null]);
    expect(await log(cluster)).toHaveLength(1);
    for (const device of devices) {
      await device.read(APP);
      await device.expectInLockstep(APP);
    }
  });

  it("try again when another device was faster between staging and decision", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await cluster.pair(APP);
    const [one, two] = await a.history(APP);
    await a.push(APP, [change("main", null, one)]);
    await b.read(APP);
    const mine = await b.commit(APP, "mine", { parents: [one] });
    let races = 0;
    b.onStatement = async (text, run) => {
      if (isBump(text) && ++races === 1) await a.push(APP, [change("main", one, two)]);
      return await run();
    };
    expect(await b.push(APP, [change("topic", null, mine), change("main", one, mine)])).toEqual({
      "refs/heads/topic": null,
      "refs/heads/main": "fetch first",
    });
    expect(await log(cluster)).toMatchObject([{ version: "1" }, { version: "2" }, { version: "3", device: "repo002" }]);
    expect((await writes(cluster)).map(({ drop_reason }) => drop_reason)).toContain("not landed: stale");
    await b.expectInLockstep(APP);
  });

  it("take the repository's turn after losing three races, which nobody can overtake", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await cluster.pair(APP);
    const [one] = await a.history(APP);
    const mine = await b.commit(APP, "mine");
    let races = 0;
    let overtaking: Promise<unknown> = Promise.resolve();
    b.onStatement = async (text, run) => {
      if (isBump(text)) {
        races += 1;
        const overtake = a.push(APP, [change(`race/${races}`, null, one)]);
        // With the turn taken the other device waits instead of winning.
        if (races <= 3) await overtake;
        else overtaking = overtake;
      }
      return await run();
    };
    expect(await b.push(APP, [change("main", null, mine)])).toEqual({ "refs/heads/main": null });
    await overtaking;
    expect(races).toBe(4);
    expect((await log(cluster)).map(({ device }) => device)).toEqual([
      "repo001",
      "repo001",
      "repo001",
      "repo002",
      "repo001",
    ]);
    await expectTurns(cluster, []);
  });
});

describe("a repository whose turn somebody else has", () => {
  async function giveTurn(cluster: TestCluster): Promise<void> {
    await cluster.sql(
      `insert into lockstep.turn (repository_id, write_id, device, author, reason, expires_at)
       select id, gen_random_uuid(), 'repo009', 'grace', 'rewriting history', clock_timestamp() + interval '1 hour'
       from lockstep.repository`,
    );
  }

  it("makes a push wait, tells the pusher for whom, and lands it afterwards", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await cluster.pair(APP);
    const [one] = await a.history(APP);
    await giveTurn(cluster);
    const said: string[] = [];
    const pushed = a.push(APP, [change("main", null, one)], { pusher: { say: (text) => void said.push(text) } });
    await vi.waitFor(() => expect(said).toHaveLength(1), SOON);
    expect(said[0]).toMatch(/^waiting for grace on repo009 \(rewriting history, since \d{4}-/);
    expect(await a.read(APP)).toMatchObject({ version: 0n });
    await cluster.sql("delete from lockstep.turn where device = 'repo009'");
    expect(await pushed).toEqual({ "refs/heads/main": null });
    await expectTurns(cluster, []);
    await a.expectInLockstep(APP);
  });

  it("refuses a push that has waited in vain, and says for whom", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await cluster.pair(APP);
    const [one] = await a.history(APP);
    await giveTurn(cluster);
    const clock = performance.now.bind(performance);
    let skipped = 0;
    const spy = vi.spyOn(performance, "now").mockImplementation(() => clock() + skipped);
    try {
      const say = () => {
        skipped = 60_000;
      };
      await expect(a.push(APP, [change("main", null, one)], { pusher: { say } })).rejects.toMatchObject({
        code: "TURN_HELD",
        message: expect.stringContaining("held by grace on repo009 (rewriting history, since "),
      });
    } finally {
      spy.mockRestore();
    }
    await expectTurns(cluster, ["repo009"]);
    await a.expectInLockstep(APP);
  });

  it("drops the wait of a push whose pusher has left", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await cluster.pair(APP);
    const [one] = await a.history(APP);
    await giveTurn(cluster);
    const gone = new AbortController();
    const pushed = a.push(APP, [change("main", null, one)], { pusher: { gone: gone.signal, say: () => gone.abort() } });
    await expect(pushed).rejects.toMatchObject({ code: "WRITE_DROPPED" });
    await expectTurns(cluster, ["repo009"]);
  });
});

describe("a disk that is not what the log says", () => {
  it.each(["moved", "deleted", "made"])(
    "is compared and put right when a push meets a ref that was %s by hand",
    async (how) => {
      await using cluster = await TestCluster.make();
      const [a] = await cluster.pair(APP);
      const [one, two, three] = await a.history(APP);
      await a.push(APP, [change("main", null, one), change("topic", null, one)]);
      if (how === "moved") await a.git(APP, ["update-ref", "refs/heads/main", three]);
      if (how === "deleted") await a.git(APP, ["update-ref", "-d", "refs/heads/main"]);
      if (how === "made") await a.git(APP, ["update-ref", "refs/heads/new", three]);
      await a.git(APP, ["update-ref", "refs/heads/topic", three]);
      expect(await a.push(APP, [change("main", one, two), change("new", null, two)])).toEqual({
        "refs/heads/main": null,
        "refs/heads/new": null,
      });
      expect(await a.refs(APP)).toMatchObject({ "refs/heads/main": two, "refs/heads/topic": one });
      expect(JSON.stringify(a.logged)).toContain("somebody else changed the files of a replica");
      await a.expectInLockstep(APP);
    },
  );

  it("is compared and put right when a push meets a ref that was moved in a directory that is not watched", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await cluster.pair(APP);
    const [one, two, three] = await a.history(APP);
    await a.push(APP, [change("deep/main", null, one)]);
    await a.git(APP, ["update-ref", "refs/heads/deep/main", three]);
    expect(await a.push(APP, [change("deep/main", one, two)])).toEqual({ "refs/heads/deep/main": null });
    expect(JSON.stringify(a.logged)).toContain("a ref on disk is not what the log says");
    await a.expectInLockstep(APP);
  });

  it("does not let a push through that was made on what somebody wrote by hand", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await cluster.pair(APP);
    const [one, two, three] = await a.history(APP);
    await a.push(APP, [change("main", null, one)]);
    await a.git(APP, ["update-ref", "refs/heads/main", two]);
    expect(await a.push(APP, [change("main", two, three)])).toEqual({ "refs/heads/main": "fetch first" });
    expect(await log(cluster)).toHaveLength(1);
  });

  it("is not believed by the database either, which compares old values with its own refs", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await cluster.pair(APP);
    const [one, two] = await a.history(APP);
    await a.push(APP, [change("main", null, one)]);
    const { context } = a;
    const row = { writeId: crypto.randomUUID(), repositoryId: a.replica(APP).id, base: 1n };
    await stageWrite(context.db, context.me, { ...row, author: "mallory", names: [ref("refs/heads/main")] });
    const lie = change("main", two, null);
    const digest = Buffer.alloc(32);
    expect(await landWrite(context.db, context.me, { ...row, digest, updates: [lie] })).toEqual({
      outcome: "in_doubt",
    });
    expect(await log(cluster)).toHaveLength(1);
  });

  it("keeps a ref locked by somebody's git from that push only", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await cluster.pair(APP);
    const [one, two] = await a.history(APP);
    await a.push(APP, [change("main", null, one)]);
    const lock = join(a.gitDir(APP), "refs/heads/main.lock");
    await writeFile(lock, "");
    const report = await a.push(APP, [change("main", one, two), change("free", null, one)]);
    expect(report["refs/heads/main"]).toMatch(/^locked by another git process/);
    expect(report["refs/heads/free"]).toBeNull();
    await rm(lock);
    expect(await a.push(APP, [change("main", one, two)])).toEqual({ "refs/heads/main": null });
    await a.expectInLockstep(APP);
  });

  it("removes a lock that nobody has held for minutes, and lands", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await cluster.pair(APP);
    const [one, two] = await a.history(APP);
    await a.push(APP, [change("main", null, one)]);
    const lock = join(a.gitDir(APP), "refs/heads/main.lock");
    await writeFile(lock, "");
    const longAgo = new Date(Date.now() - 5 * 60_000);
    await utimes(lock, longAgo, longAgo);
    expect(await a.push(APP, [change("main", one, two)])).toEqual({ "refs/heads/main": null });
    await a.expectInLockstep(APP);
  });
});
