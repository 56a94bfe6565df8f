// A command of the queue: whatever dies at each of its steps, the command gets exactly one outcome, and the replica is as
// the log says.
import { describe, expect, it } from "vitest";
import {
  ada,
  cases,
  cluster,
  endedCommand,
  enqueue,
  one,
  points,
  shownCommand,
  startClusterToStrike,
  strike,
  two,
} from "../support/crash-strikes.ts";
import { PushHistory } from "../support/push-history.ts";

startClusterToStrike();

describe("a command at", () => {
  it.each(cases(points("command"), ["sidecar", "database", "device"]))(
    "%s survives the death of its %s",
    async (point, victim) => {
      const history = await PushHistory.begin(cluster, ada);
      await history.untilAcknowledged(one.device, "line");
      await using held = await two.hold(point);
      const id = await enqueue("verify", history.repository, two.device);
      await held.reached();
      const { attempts } = await shownCommand(id);
      await strike(two, history.repository, victim, held.release);
      const recorded = await endedCommand(id);
      expect(recorded).toMatchObject({ state: "done", outcome: { differences: 0, damage: [], failure: null } });
      const again = recorded.attempts - attempts;
      // If it got a new database connection just before all of them were ended, it may be started again.
      if (victim === "database") expect([0, 1]).toContain(again);
      // It was started again exactly where its sidecar died before the outcome was recorded.
      else expect(again).toBe(point === "command.ended" ? 0 : 1);
      await history.untilAcknowledged(one.device, "next");
      await history.expectTrueAndAtRest();
      expect(await shownCommand(id)).toEqual(recorded);
    },
  );
});
