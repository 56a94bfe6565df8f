// A catch-up: every named step, with everything that may die there. Afterwards nothing is lost,
// nothing is halved, nothing is left over, and the next push works without anybody's help.
import { describe, expect, it } from "vitest";
import { PATIENCE } from "../support/cluster-device.ts";
import {
  ada,
  cases,
  cluster,
  nextPush,
  one,
  points,
  startClusterToStrike,
  strike,
  three,
  two,
} from "../support/crash-strikes.ts";
import { PushHistory } from "../support/push-history.ts";

startClusterToStrike();

describe("a catch-up at", () => {
  const ARRIVING = points("catch-up").slice(0, 2);

  it.each(cases(points("catch-up"), ["sidecar", "database", "device"]))(
    "%s survives the death of its %s",
    async (point, victim) => {
      const history = await PushHistory.begin(cluster, ada);
      await history.untilAcknowledged(one.device, "line");
      await two.device.call("BeforeRead", { repository: history.repository }, PATIENCE);
      await using held = await two.hold(point);
      await history.untilAcknowledged(one.device, "line");
      await held.reached();
      await strike(two, history.repository, victim, held.release);
      await nextPush(history, two.device, "line", victim);
      await history.expectTrueAndAtRest();
    },
  );

  it.each(ARRIVING)("%s survives the death of the device that it fetches from", async (point) => {
    const history = await PushHistory.begin(cluster, ada);
    await history.untilAcknowledged(one.device, "line");
    await two.device.call("BeforeRead", { repository: history.repository }, PATIENCE);
    await using held = await two.hold(point);
    await history.untilAcknowledged(one.device, "line");
    await three.call("BeforeRead", { repository: history.repository }, PATIENCE);
    await held.reached();
    await one.device.kill();
    await held.release();
    // Another device has it.
    await two.device.call("BeforeRead", { repository: history.repository }, PATIENCE);
    await one.restart();
    expect(await history.expectTrueAndAtRest()).toMatchObject({ version: 2 });
  });
});
