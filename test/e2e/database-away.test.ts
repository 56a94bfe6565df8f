import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { administer } from "../support/administer.ts";
import type { Device } from "../support/cluster-device.ts";
import { ada, cluster, one, proxy, startClusterOfFile, three, two } from "../support/file-cluster.ts";
import { holdPush } from "../support/held-push.ts";
import { PushHistory } from "../support/push-history.ts";
import { soon } from "../support/soon.ts";

const AWAY = /The database does not answer; try again\./;
const BUMP = "lockstep.bump(";

startClusterOfFile({ behindProxy: true });

let pids: number[];
beforeAll(() => {
  pids = cluster.devices.map(({ pid }) => pid);
});
afterEach(() => proxy.mend());

/** Expects all to be well without a restart of anything. */
async function expectAllIsWell(history: PushHistory) {
  for (const device of cluster.devices) {
    expect(await history.push(device, "next")).toMatchObject({ verdict: "acknowledged" });
  }
  return await history.expectTrueAndAtRest();
}

const list = (device: Device, repository: string) => cluster.git.run(["ls-remote", device.url(repository)]);

describe("while the database is away", () => {
  it("reads fail with a sentence, and work again when it is back", async () => {
    const history = await PushHistory.begin(cluster, ada);
    await history.untilAcknowledged(one, "x");
    proxy.cut();
    for (const device of cluster.devices) {
      expect(await list(device, history.repository)).toMatchObject({
        code: 128,
        stdout: "",
        stderr: expect.stringMatching(AWAY),
      });
      expect(await device.isReady()).toBe(false);
      expect((await fetch(`${device.demo.http}/livez`)).status).toBe(200);
    }
    const { code, document } = await one.lockstep("log", history.repository);
    expect({ code, error: document.error.code }).toEqual({ code: 3, error: "DATABASE_UNAVAILABLE" });
    proxy.mend();
    for (const device of cluster.devices) expect(await list(device, history.repository)).toMatchObject({ code: 0 });
    await expectAllIsWell(history);
  });

  it("each sidecar logs one line at the loss of the database, and one at its return", async () => {
    const lines = async (device: Device) =>
      (await device.log()).map(({ msg }) => String(msg)).filter((msg) => /^(the database can|could not )/.test(msg));
    // The last test has told of an outage of its own.
    for (const device of cluster.devices)
      await vi.waitFor(async () => expect((await lines(device)).at(-1) ?? "").not.toMatch(/cannot be used/), soon(100));
    const before = await Promise.all(cluster.devices.map(async (device) => (await lines(device)).length));
    const since = async (index: number) => (await lines(cluster.devices[index] as Device)).slice(before[index]);
    proxy.cut();
    for (const index of cluster.devices.keys())
      await vi.waitFor(async () => expect(await since(index)).toHaveLength(1), soon(100));
    // All that looks at the database in turn has done so meanwhile: the first poll comes after 6 s at the latest.
    const until = performance.now() + 7_000;
    await vi.waitUntil(() => performance.now() > until, soon(500));
    proxy.mend();
    const told = [expect.stringMatching(/^the database cannot be used/), "the database can be used again"];
    for (const index of cluster.devices.keys())
      await vi.waitFor(async () => expect(await since(index)).toEqual(told), soon(100));
  });

  it("a push is refused with a sentence, whether it has been received or not", async () => {
    const history = await PushHistory.begin(cluster, ada);
    await using held = await holdPush(one, history.repository, "received");
    const push = history.push(one, "held");
    await held.reached();
    proxy.cut();
    await held.release();
    expect(await push).toMatchObject({ verdict: "refused", stderr: expect.stringMatching(AWAY) });
    expect((await history.push(two, "x")).stderr).toMatch(AWAY);
    proxy.mend();
    expect(await expectAllIsWell(history)).toMatchObject({ version: 3 });
  });

  it("a database that accepts connections and never answers is given up after a while", async () => {
    const history = await PushHistory.begin(cluster, ada);
    await history.untilAcknowledged(one, "x");
    proxy.stall();
    const [read, push] = await Promise.all([list(one, history.repository), history.push(two, "x")]);
    expect(read).toMatchObject({ code: 128, stderr: expect.stringMatching(AWAY) });
    expect(push.stderr).toMatch(AWAY);
    proxy.mend();
    // Their leases have run out meanwhile, and without one a device is not asked for objects.
    await vi.waitFor(async () => expect(await list(three, history.repository)).toMatchObject({ code: 0 }), soon());
    const live = "select name from lockstep.device where expires_at > clock_timestamp()";
    const leases = () => administer(cluster.databaseUrl, async (db) => (await db.query(live)).rowCount);
    await vi.waitFor(async () => expect(await leases()).toBe(cluster.devices.length), soon());
    await expectAllIsWell(history);
  });
});

describe("when the database goes at the decision", () => {
  it.each(["question", "answer"] as const)(
    "and the %s is lost, the push is acknowledged once it is back",
    async (moment) => {
      const history = await PushHistory.begin(cluster, ada);
      const doubts = async () => (await one.log()).filter(({ msg }) => /decision is in doubt/.test(String(msg))).length;
      const before = await doubts();
      const cut = proxy.cutAt(BUMP, moment);
      const push = history.push(one, "x");
      await cut;
      await vi.waitFor(async () => expect(await doubts()).toBeGreaterThan(before), soon());
      // Nobody is told anything meanwhile.
      expect(history.told).toEqual([]);
      proxy.mend();
      expect(await push).toMatchObject({ verdict: "acknowledged" });
      expect(await expectAllIsWell(history)).toMatchObject({ version: 4 });
    },
  );

  it.each([
    { moment: "question", landed: 0 },
    { moment: "answer", landed: 1 },
  ] as const)(
    "while the database stays away, the pusher of a lost $moment is told neither yes nor no",
    async ({ moment, landed }) => {
      const history = await PushHistory.begin(cluster, ada);
      await one.kill();
      await one.start({ LOCKSTEP_IN_DOUBT_SECONDS: "1" });
      const cut = proxy.cutAt(BUMP, moment);
      const push = history.push(one, "x");
      await cut;
      const { verdict, stderr } = await push;
      expect(verdict).toBe("neither");
      expect(stderr).toMatch(/remote: lockstep: The database did not say whether the write .* landed/);
      proxy.mend();
      expect(await expectAllIsWell(history)).toMatchObject({ version: landed + 3 });
      await one.kill();
      await one.start();
      pids[0] = one.pid;
    },
  );
});

it("a database that comes and goes during many pushes makes nobody be told anything false", async () => {
  const history = await PushHistory.begin(cluster, ada);
  const all = cluster.devices.flatMap((device) =>
    ["x", "y"].map((line) => ({ device, line: `${device.name}-${line}` })),
  );
  const begunAt = performance.now();
  await Promise.all(all.map(({ device, line }) => history.untilAcknowledged(device, line)));
  const calmMs = performance.now() - begunAt;
  const stop = new AbortController();
  const lines = all.map(({ device, line }) => history.keepPushing(device, line, stop.signal));
  const acknowledged = () => history.told.filter(({ verdict }) => verdict === "acknowledged").length;
  for (let round = 0; round < 12; round += 1) {
    const before = acknowledged();
    await vi.waitFor(() => expect(acknowledged()).toBeGreaterThan(before + (round % 3)), soon());
    if (round % 4 === 3) proxy.stall();
    else proxy.cut();
    await proxy.noticed();
    proxy.mend();
  }
  stop.abort();
  const mendedAt = performance.now();
  await Promise.all(lines);
  await Promise.all(all.map(({ device, line }) => history.untilAcknowledged(device, line)));
  // Nobody has to wait until something that was left behind runs out.
  expect(performance.now() - mendedAt).toBeLessThan(10_000 + 4 * calmMs);
  const { log } = await expectAllIsWell(history);
  console.log(history.summary(log));
});

it("no sidecar has ended in all these outages", () => {
  expect(cluster.devices.map(({ pid }) => pid)).toEqual(pids);
});
