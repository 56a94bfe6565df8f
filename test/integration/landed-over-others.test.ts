// Devices whose writes have landed over versions that they do not have yet.
import { describe, expect, it, vi } from "vitest";
import { putInDoubt } from "../../src/sync/replica/apply.ts";
import { WAITS } from "../../src/waits.ts";
import { appliedBy, beforeDecision, expectWell, MAIN, pair, versionsOf } from "../support/overtaking.ts";
import { APP } from "../support/pushed-once.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change, SOON } from "../support/sync-device.ts";
import { settle } from "../support/thawing.ts";

describe("a device whose write landed over versions that it lacks", () => {
  /** A write of b has landed as version 3. b cannot fetch version 2, which a has made. */
  async function landedOver(cluster: TestCluster) {
    const { a, b, history } = await pair(cluster);
    const mine = await b.commit(APP, "mine");
    const theirs = await a.commit(APP, "theirs");
    const { openPack } = b;
    b.openPack = () => Promise.reject(new Error("the network is down"));
    beforeDecision(b, () => a.push(APP, [change("topic", null, theirs)]));
    const pushed = b.push(APP, [change("mine", null, mine)]).catch((error: unknown) => error);
    await vi.waitFor(() => expect(b.context.replicas.findByName(APP)?.landed).toBe(3n), SOON);
    return { a, b, history, mine, theirs, pushed, mend: () => Object.assign(b, { openPack }) };
  }

  it("keeps the refs of its version, and says ok and serves reads when it has all", async () => {
    await using cluster = await TestCluster.make();
    const { a, b, history, mine, theirs, pushed, mend } = await landedOver(cluster);
    expect(await versionsOf(cluster)).toEqual(["1 repo001", "2 repo001", "3 repo002"]);
    await expect(b.read(APP)).rejects.toMatchObject({ code: "NO_SOURCE" });
    expect(appliedBy(b)).toBe(1n);
    expect(await b.refs(APP)).toEqual({ HEAD: `ref: ${MAIN}`, [MAIN]: history[0] });
    // The other device takes the objects from here, though no ref has them.
    await a.read(APP);
    expect(await a.refs(APP)).toMatchObject({ "refs/heads/mine": mine });
    mend();
    expect(await pushed).toEqual({ "refs/heads/mine": null });
    expect(appliedBy(b)).toBe(3n);
    expect(await b.refs(APP)).toMatchObject({ "refs/heads/mine": mine, "refs/heads/topic": theirs });
    await expectWell(a, b);
  });

  it("says neither ok nor no if that takes too long", async () => {
    await using cluster = await TestCluster.make();
    const waits = WAITS as Record<string, number>;
    const { landedHereMs } = WAITS;
    waits.landedHereMs = 300;
    try {
      const { a, b, pushed, mend } = await landedOver(cluster);
      expect(await pushed).toMatchObject({ code: "OUTCOME_UNKNOWN", details: { version: "3" } });
      mend();
      await vi.waitFor(() => b.read(APP), SOON);
      await expectWell(a, b);
    } finally {
      waits.landedHereMs = landedHereMs;
    }
  });

  it("lands further writes meanwhile, and refuses those to a ref that it does not have yet", async () => {
    await using cluster = await TestCluster.make();
    const { a, b, history, mine, pushed, mend } = await landedOver(cluster);
    const next = await b.commit(APP, "next", { parents: [mine] });
    const second = b.push(APP, [change("second", null, next)]);
    await vi.waitFor(() => expect(b.context.replicas.findByName(APP)?.landed).toBe(4n), SOON);
    expect(await b.push(APP, [change("topic", null, next)])).toEqual({ "refs/heads/topic": "fetch first" });
    mend();
    expect([await pushed, await second]).toEqual([{ "refs/heads/mine": null }, { "refs/heads/second": null }]);
    expect(await b.refs(APP)).toMatchObject({ "refs/heads/second": next, [MAIN]: history[0] });
    await expectWell(a, b);
  });

  it("comes back after a crash with all refs", async () => {
    await using cluster = await TestCluster.make();
    const { a, b, mine, theirs } = await landedOver(cluster);
    await b.crash();
    const again = await b.restart();
    await vi.waitFor(() => again.read(APP), SOON);
    expect(await again.refs(APP)).toMatchObject({ "refs/heads/mine": mine, "refs/heads/topic": theirs });
    await expectWell(a, again);
  });

  it("gives its write up with the version before, if that is lost with its device", async () => {
    await using cluster = await TestCluster.make();
    const { a, b, history, pushed } = await landedOver(cluster);
    await a.stop();
    expect(await settle(b, { demote: ["repo001"] })).toMatchObject({ done: true });
    expect(await pushed).toMatchObject({ code: "OUTCOME_UNKNOWN" });
    await b.read(APP);
    expect(await b.refs(APP)).toEqual({ HEAD: `ref: ${MAIN}`, [MAIN]: history[0] });
    await b.expectInLockstep(APP);
  });
});

describe("three devices of which each has landed a write over those of the others", () => {
  it.each(["live", "in doubt"])("bring each other what they lack, while they are %s", async (state) => {
    await using cluster = await TestCluster.make();
    const devices = await Promise.all(["repo001", "repo002", "repo003"].map((name) => cluster.start(name)));
    await cluster.createEverywhere(APP, devices);
    const first = devices[0]!;
    const [one] = await first.history(APP);
    await first.push(APP, [change("main", null, one)]);
    for (const device of devices) await device.read(APP);
    const mends = devices.map((device) => {
      const { openPack } = device;
      device.openPack = () => Promise.reject(new Error("the network is down"));
      return () => Object.assign(device, { openPack });
    });
    const pushed: Promise<unknown>[] = [];
    for (const [index, device] of devices.entries()) {
      const id = await device.commit(APP, `of ${device.name}`);
      pushed.push(device.push(APP, [change(device.name, null, id)]));
      await vi.waitFor(async () => expect(await versionsOf(cluster)).toHaveLength(index + 2), SOON);
    }
    if (state === "in doubt") for (const device of devices) await putInDoubt(device.replica(APP));
    for (const mend of mends) mend();
    expect(await Promise.all(pushed)).toEqual(devices.map(({ name }) => ({ [`refs/heads/${name}`]: null })));
    await expectWell(...devices);
  });
});
