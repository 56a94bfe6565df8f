// Pushes on several devices at once, and pushes that wait for the turn.
import { describe, expect, it, vi } from "vitest";
import { TestCluster } from "../support/sync-cluster.ts";
import { change, SOON } from "../support/sync-device.ts";
import { isBump, log, writes } from "../support/write-rows.ts";

const APP = "team/app";
/** A ticket is given back in the background. */
async function expectTurns(cluster: TestCluster, devices: readonly string[]): Promise<void> {
  await vi.waitFor(async () => {
    const rows = await cluster.sql<{ device: string }>("select device from lockstep.turn");
    expect(rows.map(({ device }) => device)).toEqual(devices);
  }, SOON);
}

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
    await cluster.sql("update lockstep.repository set serial = true");
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
