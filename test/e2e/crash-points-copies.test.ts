// The copies that a push makes on other devices: every named step, with everything that may die there. Afterwards nothing is lost,
// nothing is halved, nothing is left over, and the next push works without anybody's help.
import { describe, expect, it } from "vitest";
import {
  ada,
  cases,
  cluster,
  git,
  one,
  startClusterToStrike,
  strike,
  two,
  UPLOADERS,
} from "../support/crash-strikes.ts";
import { PushHistory } from "../support/push-history.ts";

startClusterToStrike();

describe("a push that wants copies at", () => {
  const hasOnAllDevices = async (repository: string, commit: string) => {
    for (const device of cluster.devices) await git(device.gitDir(repository), "cat-file", "-e", commit);
  };

  it.each(cases(["copies.fetched", "copies.kept"], ["sidecar", "database", "device"]))(
    "%s survives the death of the %s that makes one",
    async (point, victim) => {
      const history = await PushHistory.begin(cluster, ada, 3);
      await history.untilAcknowledged(one.device, "line");
      await using held = await two.hold(point);
      const push = history.push(one.device, "line");
      await held.reached();
      await strike(two, history.repository, victim, held.release);
      const { commit, verdict } = await push;
      // Whoever is told that it landed may lose any two devices from now on.
      if (verdict === "acknowledged") await hasOnAllDevices(history.repository, commit);
      await history.untilAcknowledged(one.device, "line");
      await hasOnAllDevices(history.repository, history.told.at(-1)!.commit);
      await history.expectTrueAndAtRest();
    },
  );

  it.each(cases(["copies.made"], ["sidecar", ...UPLOADERS, "database", "device"]))(
    "%s survives the death of its %s",
    async (point, victim) => {
      const history = await PushHistory.begin(cluster, ada, 2);
      await history.untilAcknowledged(one.device, "line");
      await using held = await one.hold(point);
      const push = history.push(one.device, "line");
      await held.reached();
      await strike(one, history.repository, victim, held.release);
      const { verdict } = await push;
      if (victim !== "database") expect(verdict).not.toBe("acknowledged");
      await history.untilAcknowledged(one.device, "line");
      await history.expectTrueAndAtRest();
    },
  );
});
