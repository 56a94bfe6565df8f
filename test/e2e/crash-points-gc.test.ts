// Garbage collection: whatever dies at each of its steps, the replica keeps every object, the command gets its outcome,
// and nothing unfinished is left.
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  ada,
  cases,
  cluster,
  endedCommand,
  enqueue,
  git,
  one,
  points,
  startClusterToStrike,
  strike,
} from "../support/crash-strikes.ts";
import { PushHistory } from "../support/push-history.ts";

startClusterToStrike();

describe("a gc at", () => {
  // Nothing is old enough for `gc.pruning` here: test/integration/collect-garbage.test.ts has that point.
  const reached = points("gc").filter((point) => point !== "gc.pruning");

  it.each(cases(reached, ["sidecar", "device", "database"]))(
    "%s survives the death of its %s",
    async (point, victim) => {
      const history = await PushHistory.begin(cluster, ada);
      for (const line of ["a", "b", "c", "d"]) await history.untilAcknowledged(one.device, line);
      await using held = await one.hold(point);
      const id = await enqueue("gc", history.repository, one.device);
      await held.reached();
      await strike(one, history.repository, victim, held.release);
      expect(await endedCommand(id)).toMatchObject({ state: "done", outcome: { packsAfter: 1, bitmap: true } });
      const gitDir = one.device.gitDir(history.repository);
      await history.untilAcknowledged(one.device, "next");
      await git(gitDir, "fsck", "--full", "--strict");
      await git(gitDir, "multi-pack-index", "verify");
      const packs = await readdir(join(gitDir, "objects", "pack"));
      const indexed = packs.filter((file) => file.endsWith(".idx")).map((file) => file.slice(0, -".idx".length));
      expect(
        packs.filter((file) => file.startsWith("pack-") && !indexed.some((name) => file.startsWith(name))),
      ).toEqual([]);
      expect((await readdir(join(gitDir, "objects"))).filter((name) => name.startsWith("tmp_"))).toEqual([]);
      await history.expectTrueAndAtRest();
    },
  );
});
