// A rename: whatever dies at each of its steps, the repository has one name, and every device has its directory there.
import { existsSync } from "node:fs";
import { describe, expect, it, vi } from "vitest";
import {
  ada,
  cases,
  cluster,
  one,
  points,
  SOON,
  startClusterToStrike,
  strike,
  three,
  two,
} from "../support/crash-strikes.ts";
import { PushHistory } from "../support/push-history.ts";

startClusterToStrike();

describe("a rename at", () => {
  it.each(cases(points("rename"), ["sidecar", "database", "device"]))(
    "%s survives the death of its %s",
    async (point, victim) => {
      const history = await PushHistory.begin(cluster, ada);
      const name = history.repository;
      const newName = `${name}/moved/${point}`;
      await history.untilAcknowledged(one.device, "line");
      await using held = await two.hold(point);
      const asked = point === "rename.decided" ? two.device : three;
      const renaming = asked.lockstep("repo", "rename", name, newName);
      await held.reached();
      await strike(two, name, victim, held.release);
      await renaming;
      // If the sidecar that was asked died, the caller does not know, and asks again.
      const again = await three.lockstep("repo", "rename", name, newName);
      expect(again).toMatchObject({ code: 0, document: { repository: newName } });
      for (const device of cluster.devices) {
        await vi.waitFor(() => expect(existsSync(device.gitDir(newName))).toBe(true), SOON);
        expect(existsSync(device.gitDir(name))).toBe(false);
      }
      expect(await three.lockstep("repo", "rename", newName, name)).toMatchObject({ code: 0 });
      await history.untilAcknowledged(two.device, "next");
      await history.expectTrueAndAtRest();
    },
  );
});
