// A push that lands over versions which its device does not have: another device has pushed to other refs since it was
// staged. Whatever dies from the decision to the report, all versions are whole on all devices afterwards.
import { describe, expect, it } from "vitest";
import type { CrashPoint } from "../../src/crash-points.ts";
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
  UPLOADERS,
} from "../support/crash-strikes.ts";
import { PushHistory } from "../support/push-history.ts";
import { pusher } from "../support/pusher.ts";

startClusterToStrike();

const POINTS: CrashPoint[] = ["push.deciding", "push.decided", ...points("over"), "push.reporting"];

describe("a push that another device has overtaken with other refs, at", () => {
  it.each([
    ...cases(POINTS, ["sidecar", "receive-pack", "hook that works", "database", "device"]),
    ...cases(["push.deciding", "push.decided"], ["update-ref"]),
  ])("%s survives the death of its %s", async (point, victim) => {
    const history = await PushHistory.begin(cluster, ada);
    await history.untilAcknowledged(one.device, "held");
    await using staged = await one.hold("push.deciding");
    const push = history.push(one.device, "held");
    await staged.reached();
    const others = PushHistory.join(history, await pusher(cluster.git, "grace"));
    await others.expectAcknowledged(three, "other");
    await using held = point === "push.deciding" ? staged : await one.hold(point);
    if (held !== staged) await staged.release();
    await held.reached();
    await strike(one, history.repository, victim, held.release);
    const { verdict } = await push;
    const { version } = await one.device.call("BeforeRead", { repository: history.repository }, PATIENCE);
    if (point !== "push.deciding") {
      expect(version).toBe("3");
      expect(verdict).not.toBe("refused");
    } else if (!UPLOADERS.includes(victim) && victim !== "database" && victim !== "update-ref") {
      expect(verdict).not.toBe("acknowledged");
      expect(version).toBe("2");
    }
    await nextPush(history, one.device, "held", victim);
    await nextPush(history, three, "held", victim);
    await history.expectTrueAndAtRest();
  });
});
