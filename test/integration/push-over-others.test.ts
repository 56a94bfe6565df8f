// Pushes that land over versions which their device does not have yet.
import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it, vi } from "vitest";
import type { Version } from "../../src/domain.ts";
import { putInDoubt } from "../../src/sync/replica/apply.ts";
import { WAITS } from "../../src/waits.ts";
import { processesAt } from "../support/git.ts";
import { beginSession, bumpSession } from "../support/sessions.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change, SOON, type TestDevice } from "../support/sync-device.ts";
import { settle } from "../support/thawing.ts";
import { isBump, log, writes } from "../support/write-rows.ts";

const APP = "team/app";
const run = promisify(execFile);
const MAIN = "refs/heads/main";

/** Two devices at version 1, with main at the first of three commits. */
async function pair(cluster: TestCluster) {
  const [a, b] = await cluster.pair(APP);
  const history = await a.history(APP);
  await a.push(APP, [change("main", null, history[0])]);
  await b.read(APP);
  return { a, b, history };
}

/** Runs `meanwhile` before the first decision of the device. */
function beforeDecision(device: TestDevice, meanwhile: () => Promise<unknown>): { decisions: number } {
  const seen = { decisions: 0 };
  device.onStatement = async (text, run) => {
    if (isBump(text) && ++seen.decisions === 1) await meanwhile();
    return await run();
  };
  return seen;
}

const versionsOf = async (cluster: TestCluster) =>
  (await log(cluster)).map(({ version, device }) => `${version} ${device}`);
const appliedBy = (device: TestDevice): Version | undefined => device.context.replicas.findByName(APP)?.applied;

/** Both devices hold the head, with the same refs. */
async function expectWell(...devices: readonly TestDevice[]): Promise<void> {
  for (const device of devices) {
    await device.read(APP);
    await device.expectInLockstep(APP);
  }
}

describe("a push during whose decision another device pushed", () => {
  it("lands at once if that was to other refs, and its device has both before it says ok", async () => {
    await using cluster = await TestCluster.make();
    const { a, b, history } = await pair(cluster);
    const mine = await b.commit(APP, "mine");
    const seen = beforeDecision(b, async () => {
      await a.push(APP, [change("main", history[0], history[1])]);
      await a.push(APP, [change("topic", null, history[2])]);
    });
    expect(await b.push(APP, [change("mine", null, mine)])).toEqual({ "refs/heads/mine": null });
    expect(seen.decisions).toBe(1);
    expect(await versionsOf(cluster)).toEqual(["1 repo001", "2 repo001", "3 repo001", "4 repo002"]);
    expect(appliedBy(b)).toBe(4n);
    expect(await b.refs(APP)).toMatchObject({
      [MAIN]: history[1],
      "refs/heads/topic": history[2],
      "refs/heads/mine": mine,
    });
    expect((await writes(cluster)).map(({ status }) => status)).toEqual(Array(4).fill("landed"));
    await expectWell(a, b);
  });

  it("is told to fetch first, without another decision, if that was to the same ref", async () => {
    await using cluster = await TestCluster.make();
    const { a, b, history } = await pair(cluster);
    const mine = await b.commit(APP, "mine", { parents: [history[0]!] });
    const seen = beforeDecision(b, () => a.push(APP, [change("main", history[0], history[1])]));
    expect(await b.push(APP, [change("main", history[0], mine)])).toEqual({ [MAIN]: "fetch first" });
    expect(seen.decisions).toBe(1);
    await expectWell(a, b);
  });

  it("has both at once also if its git is killed then, with locks on refs", async () => {
    await using cluster = await TestCluster.make();
    const { a, b, history } = await pair(cluster);
    const mine = await b.commit(APP, "mine");
    beforeDecision(b, async () => {
      await a.push(APP, [change("main", history[0], history[1])]);
      const holder = (await processesAt(b.gitDir(APP))).find((line) => line.includes("update-ref"))!;
      process.kill(Number(holder.split(" ")[0]), "SIGKILL");
      await vi.waitFor(async () => expect(await processesAt(b.gitDir(APP))).not.toContain(holder), SOON);
      expect(await b.leftovers(APP)).toContain("refs/heads/mine.lock");
    });
    expect(await b.push(APP, [change("mine", null, mine)])).toEqual({ "refs/heads/mine": null });
    expect(appliedBy(b)).toBe(3n);
    await expectWell(a, b);
  });

  it("lands its other refs if it is not atomic, and none if it is", async () => {
    await using cluster = await TestCluster.make();
    const { a, b, history } = await pair(cluster);
    const mine = await b.commit(APP, "mine", { parents: [history[0]!] });
    const updates = (name: string) => [change("main", history[0], mine), change(name, null, mine)];
    beforeDecision(b, () => a.push(APP, [change("main", history[0], history[1])]));
    expect(await b.push(APP, updates("one"))).toEqual({ [MAIN]: "fetch first", "refs/heads/one": null });
    beforeDecision(b, () => a.push(APP, [change("main", history[1], history[0])]));
    expect(await b.push(APP, [change("main", history[1], mine), change("two", null, mine)], { atomic: true })).toEqual({
      [MAIN]: "fetch first",
      "refs/heads/two": "atomic push failure",
    });
    await expectWell(a, b);
  });

  it.each<[string, string, string]>([
    ["above", "x", "x/y"],
    ["below", "x/y", "x"],
  ])("is refused as git refuses it when that made a ref %s its own", async (_, theirs, ours) => {
    await using cluster = await TestCluster.make();
    const { a, b, history } = await pair(cluster);
    beforeDecision(b, () => a.push(APP, [change(theirs, null, history[0])]));
    expect(await b.push(APP, [change(ours, null, history[0]), change("other", null, history[0])])).toEqual({
      [`refs/heads/${ours}`]: "conflicts with an existing ref",
      "refs/heads/other": null,
    });
    await expectWell(a, b);
  });

  it("finds the room that a deletion on another device has made", async () => {
    await using cluster = await TestCluster.make();
    const { a, b, history } = await pair(cluster);
    await a.push(APP, [change("x", null, history[0])]);
    await b.read(APP);
    let staged = 0;
    b.onStatement = async (text, run) => {
      if (text.includes("stage_write(") && ++staged === 1) await a.push(APP, [change("x", history[0], null)]);
      return await run();
    };
    expect(await b.push(APP, [change("x/y", null, history[0])])).toEqual({ "refs/heads/x/y": null });
    await expectWell(a, b);
  });

  it("does not follow an alias to where it led before", async () => {
    await using cluster = await TestCluster.make();
    const { a, b, history } = await pair(cluster);
    await a.push(APP, [change("other", null, history[0])]);
    const point = async (target: string) => {
      const { path, token } = await beginSession(a, APP);
      await run("git", ["symbolic-ref", "refs/heads/alias", target], { env: { ...process.env, GIT_DIR: path } });
      await bumpSession(a, APP, token);
    };
    await point(MAIN);
    await b.read(APP);
    // The first attempt learns that the ref is an alias, the second one is overtaken in its decision.
    beforeDecision(b, () => point("refs/heads/other"));
    const two = await b.commit(APP, "two", { parents: [history[0]!] });
    expect(await b.push(APP, [change("alias", history[0], two)])).toEqual({ "refs/heads/alias": null });
    expect(await a.read(APP).then(() => a.refs(APP))).toMatchObject({
      [MAIN]: history[0],
      "refs/heads/other": two,
      "refs/heads/alias": "ref: refs/heads/other",
    });
    await expectWell(a, b);
  });
});

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

describe("a repository whose writes land one at a time", () => {
  it("lands on the head only if a reference-transaction hook looks on", async () => {
    await using cluster = await TestCluster.make();
    const { a, b, history } = await pair(cluster);
    const hook = join(b.gitDir(APP), "hooks", "reference-transaction");
    const told = join(cluster.dir, "told");
    await writeFile(hook, `#!/bin/sh\nwhile read old new ref; do echo "$1 $ref" >>'${told}'; done\n`, { mode: 0o755 });
    const seen = beforeDecision(b, () => a.push(APP, [change("main", history[0], history[1])]));
    expect(await b.push(APP, [change("mine", null, history[0])])).toEqual({ "refs/heads/mine": null });
    expect(seen.decisions).toBe(2);
    expect(await readFile(told, "utf8")).toContain("committed refs/heads/mine\n");
    await expectWell(a, b);
  });

  it("lets a push try again that another device overtook", async () => {
    await using cluster = await TestCluster.make();
    const { a, b, history } = await pair(cluster);
    await cluster.sql("update lockstep.repository set serial = true");
    const seen = beforeDecision(b, () => a.push(APP, [change("main", history[0], history[1])]));
    expect(await b.push(APP, [change("mine", null, history[0])])).toEqual({ "refs/heads/mine": null });
    expect(seen.decisions).toBe(2);
    expect((await writes(cluster)).map(({ drop_reason }) => drop_reason)).toContain("not landed: stale");
    await expectWell(a, b);
  });
});
