// Deliveries to webhooks: every named step, with the death of the sidecar or of the database's sessions. Afterwards no event is missing,
// no later one came before an earlier one, and only what was not recorded came twice.
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { PATIENCE } from "../support/cluster-device.ts";
import { ada, cases, one, points, SOON, startClusterToStrike, strike, three, two } from "../support/crash-strikes.ts";
import { Receiver } from "../support/receiver.ts";

startClusterToStrike();

let receiver: Receiver;
beforeAll(async () => {
  receiver = await Receiver.start();
  await three.kill();
});
// The device that is held is the only one that can deliver.
beforeEach(async () => await two.device.kill());
afterAll(async () => {
  await three?.start();
  await receiver?.[Symbol.asyncDispose]();
});

async function push(repository: string): Promise<void> {
  await ada.land(one.device.url(repository), `+${await ada.commit()}:refs/heads/main`);
}

describe("a delivery at", () => {
  it.each(cases(points("hook"), ["sidecar", "database"]))("%s survives the death of the %s", async (point, victim) => {
    const repository = `${point}-${victim}`;
    await one.device.call("CreateRepository", { repository, devices: [one.device.name] }, PATIENCE);
    receiver.posted.length = 0;
    await using held = await one.hold(point);
    const request = {
      url: `${receiver.url}/${point}/${victim}`,
      repositories: [repository],
      visible: "VISIBLE_LANDED" as const,
    };
    const { hook } = await one.device.call("AddHook", request, PATIENCE);
    await push(repository);
    await push(repository);
    await held.reached();
    await strike(one, repository, victim, held.release);
    await push(repository);
    await vi.waitFor(() => expect(receiver.posted.at(-1)?.body.version).toBe(3), SOON);
    const versions = receiver.posted.map(({ body }) => body.version);
    expect([...new Set(versions)]).toEqual([1, 2, 3]);
    expect(versions).toEqual([...versions].sort());
    expect(versions.length).toBeLessThanOrEqual(4);
    await vi.waitFor(async () => {
      const { hooks } = await one.device.call("ListHooks", {}, PATIENCE);
      expect(hooks).toMatchObject([{ delivered: "3", attempts: 0, lastError: "" }]);
    }, SOON);
    await one.device.call("RemoveHook", { hook: hook!.id }, PATIENCE);
  });
});
