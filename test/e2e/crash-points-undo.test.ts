// An undo: every named step, with everything that may die there. Afterwards it has landed whole, with its audit row, or
// not at all; nothing is left over, and the next push works without anybody's help.
import { describe, expect, it } from "vitest";
import type { CrashPoint } from "../../src/crash-points.ts";
import { LockstepError } from "../../src/errors.ts";
import { administer } from "../support/administer.ts";
import { expectAtRest } from "../support/at-rest.ts";
import { PATIENCE } from "../support/cluster-device.ts";
import { ada, cases, cluster, one, points, startClusterToStrike, strike, three } from "../support/crash-strikes.ts";

startClusterToStrike();

const POINTS: CrashPoint[] = [...points("undo"), ...points("push").slice(1, 8)];

describe("an undo at", () => {
  it.each(cases(POINTS, ["sidecar", "database", "device"]))(
    "%s survives the death of its %s",
    async (point, victim) => {
      const repository = await cluster.createRepository();
      const [first, forced] = [await ada.commit(), await ada.commit()];
      await ada.land(one.device.url(repository), `${first}:refs/heads/main`, `${first}:refs/heads/topic`);
      await ada.land(one.device.url(repository), `+${forced}:refs/heads/main`, ":refs/heads/topic");
      const plan = await one.device.call("UndoVersion", { repository, version: "2" }, PATIENCE);
      await using held = await one.hold(point);
      const { confirmation } = plan;
      const undoing = one.device
        .call("UndoVersion", { repository, version: "2", confirmation, author: "olga" }, PATIENCE)
        .catch((error: unknown) => error);
      await held.reached();
      await strike(one, repository, victim, held.release);
      const told = await undoing;
      const { refs, version } = await expectAtRest(cluster, repository);
      const landed = refs.has("refs/heads/topic");
      expect(refs.get("refs/heads/main")).toBe(landed ? first : forced);
      expect(version).toBe(landed ? 3 : 2);
      const { rows } = await administer(cluster.databaseUrl, (client) =>
        client.query("select author, detail from lockstep.audit where action = 'undo' and repository = $1", [
          repository,
        ]),
      );
      expect(rows).toMatchObject(landed ? [{ author: "olga", detail: { undoes: "2", version: "3" } }] : []);
      if (told instanceof LockstepError && told.code === "WRITE_DROPPED") expect(landed).toBe(false);
      if (!(told instanceof LockstepError)) expect(landed).toBe(true);
      await ada.land(three.url(repository), `${await ada.commit()}:refs/heads/next`);
      await expectAtRest(cluster, repository);
    },
  );
});
