// A command of the queue: whatever dies at each of its steps, the command gets exactly one outcome, and the replica is as
// the log says.
import { describe, expect, it, vi } from "vitest";
import {
  ada,
  cases,
  cluster,
  one,
  points,
  startClusterToStrike,
  strike,
  three,
  two,
} from "../support/crash-strikes.ts";
import { PushHistory } from "../support/push-history.ts";

const SOON = { timeout: 30_000, interval: 50 };

startClusterToStrike();

describe("a command at", () => {
  it.each(cases(points("command"), ["sidecar", "database", "device"]))(
    "%s survives the death of its %s",
    async (point, victim) => {
      const history = await PushHistory.begin(cluster, ada);
      await history.untilAcknowledged(one.device, "line");
      await using held = await two.hold(point);
      const args = ["command", "enqueue", "verify", history.repository, "--device", two.device.name];
      const { document } = await three.lockstep(...args);
      const [{ id }] = document.commands;
      await held.reached();
      await strike(two, history.repository, victim, held.release);
      const show = async () => (await three.lockstep("command", "show", id)).document;
      await vi.waitFor(async () => expect((await show()).ended_at).not.toBeNull(), SOON);
      const recorded = await show();
      expect(recorded).toMatchObject({ state: "done", outcome: { differences: 0, damage: [], failure: null } });
      // It was started again exactly where its sidecar died before the outcome was recorded.
      expect(recorded.attempts).toBe(victim !== "database" && point !== "command.ended" ? 2 : 1);
      await history.untilAcknowledged(one.device, "next");
      await history.expectTrueAndAtRest();
      expect(await show()).toEqual(recorded);
    },
  );
});
