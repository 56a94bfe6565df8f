// A push: every named step, with everything that may die there. Afterwards nothing is lost,
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
  UPLOADERS,
} from "../support/crash-strikes.ts";
import { PushHistory } from "../support/push-history.ts";

startClusterToStrike();

/** Steps after which the write has landed whatever happens, and before which it has not. */
const DECIDED = points("push").slice(points("push").indexOf("push.decided"));

const LOCKED = points("push").filter((point) => /prepared|synced|deciding|decided/.test(point));
const VICTIMS = ["sidecar", "receive-pack", "hook that works", "hook that waits", "database", "device"] as const;

describe.each([
  // A device has staged a write before it decides one at once.
  {
    what: "a push that is decided at once, at",
    firstAt: () => one.device,
    strikes: [
      ...cases(
        points("push").filter((point) => point !== "push.staged"),
        VICTIMS,
      ),
      ...cases(LOCKED, ["update-ref"]),
    ],
  },
  {
    what: "a push that is staged, at",
    firstAt: () => three,
    strikes: [
      ...cases(["push.staged", "push.deciding", "push.decided"], VICTIMS),
      ...cases(["push.deciding", "push.decided"], ["update-ref"]),
    ],
  },
])("$what", ({ firstAt, strikes }) => {
  it.each(strikes)("%s survives the death of its %s", async (point, victim) => {
    const history = await PushHistory.begin(cluster, ada);
    await history.untilAcknowledged(firstAt(), "held");
    await using held = await one.hold(point);
    const push = history.push(one.device, "held");
    await held.reached();
    await strike(one, history.repository, victim, held.release);
    const { verdict } = await push;
    const { version } = await one.device.call("BeforeRead", { repository: history.repository }, PATIENCE);
    if (DECIDED.includes(point)) {
      expect(version).toBe("2");
      expect(verdict).not.toBe("refused");
    } else if (UPLOADERS.includes(victim)) {
      // Whether the pusher is still there is asked once more, a moment before the decision; news of a death may come later than that.
      expect(verdict).not.toBe("acknowledged");
      if (version !== "1") expect(verdict).toBe("neither");
    } else if (victim !== "database" && victim !== "update-ref") {
      expect(verdict).not.toBe("acknowledged");
      expect(version).toBe("1");
    }
    await nextPush(history, one.device, "held", victim);
    await nextPush(history, three, "held", victim);
    await history.expectTrueAndAtRest();
  });
});

it.each(cases(["refs.syncing"], ["sidecar", "database", "device"]))(
  "%s after a push was acknowledged survives the death of its %s",
  async (point, victim) => {
    const history = await PushHistory.begin(cluster, ada);
    await history.untilAcknowledged(one.device, "held");
    await using held = await one.hold(point);
    expect(await history.push(one.device, "held")).toMatchObject({ verdict: "acknowledged" });
    await held.reached();
    await strike(one, history.repository, victim, held.release);
    expect(await three.call("BeforeRead", { repository: history.repository }, PATIENCE)).toMatchObject({
      version: "2",
    });
    await nextPush(history, one.device, "held", victim);
    await nextPush(history, three, "held", victim);
    await history.expectTrueAndAtRest();
  },
);
