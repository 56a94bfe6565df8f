// A write session, in a repository of its own and on the files of a replica: every named step, with everything that may die there. Afterwards nothing is lost,
// nothing is halved, nothing is left over, and the next push works without anybody's help.
import { describe, expect, it } from "vitest";
import type { CrashPoint } from "../../src/crash-points.ts";
import { LockstepError } from "../../src/errors.ts";
import { expectAtRest } from "../support/at-rest.ts";
import { PATIENCE } from "../support/cluster-device.ts";
import {
  ada,
  cases,
  cluster,
  git,
  one,
  points,
  startClusterToStrike,
  strike,
  three,
  two,
} from "../support/crash-strikes.ts";

startClusterToStrike();

describe("a write session at", () => {
  const BEGINNING = points("session").slice(0, 3);
  const LANDING: CrashPoint[] = ["session.taken", ...points("push").slice(2, 8), "session.landed"];

  it.each(cases(BEGINNING, ["sidecar", "database", "device"]))(
    "%s survives the death of its %s",
    async (point, victim) => {
      const repository = await cluster.createRepository();
      await using held = await one.hold(point);
      const begun = one.device.call("BeginWrite", { repository, author: "grace", reason: "testing" }, PATIENCE);
      begun.catch(() => {});
      await held.reached();
      await strike(one, repository, victim, held.release);
      const session = await begun.catch(() => undefined);
      if (session) await one.device.call("AbortWrite", { repository, token: session.token }, PATIENCE);
      await ada.land(one.device.url(repository), `${await ada.commit()}:refs/heads/main`);
      await ada.land(three.url(repository), `${await ada.commit()}:refs/heads/other`);
      await expectAtRest(cluster, repository);
    },
  );

  it.each(cases(LANDING, ["sidecar", "database", "device"]))(
    "%s survives the death of its %s",
    async (point, victim) => {
      const repository = await cluster.createRepository();
      const first = await ada.commit();
      await ada.land(one.device.url(repository), `${first}:refs/heads/main`, `${first}:refs/heads/topic`);
      const { token, path } = await one.device.call("BeginWrite", { repository, author: "grace" }, PATIENCE);
      await git(path, "update-ref", "-d", "refs/heads/topic");
      await git(path, "update-ref", "refs/tags/made", first);
      await using held = await one.hold(point);
      const bump = () => one.device.call("BumpVersion", { repository, token }, PATIENCE);
      const landing = bump().catch((error: unknown) => error);
      await held.reached();
      await strike(one, repository, victim, held.release);
      const told = await landing;
      // Whatever the caller was told, asking again tells what is true.
      const again = await bump().catch((error: unknown) => error);
      const { refs, version } = await expectAtRest(cluster, repository);
      const landed = refs.has("refs/tags/made");
      expect(refs.has("refs/heads/topic")).toBe(!landed);
      expect(version).toBe(landed ? 2 : 1);
      if (landed) expect(again).toMatchObject({ version: "2", refsChanged: 2 });
      else expect(again).toMatchObject({ code: "WRITE_DROPPED" });
      if (!(told instanceof LockstepError)) expect(landed).toBe(true);
      if (told instanceof LockstepError && told.code === "WRITE_DROPPED") expect(landed).toBe(false);
      await ada.land(three.url(repository), `${await ada.commit()}:refs/heads/next`);
      await expectAtRest(cluster, repository);
    },
  );

  it.each(["sidecar", "database", "device"] as const)(
    "session.kept survives the death of its %s, and what it changed is kept",
    async (victim) => {
      const repository = await cluster.createRepository();
      const first = await ada.commit();
      await ada.land(one.device.url(repository), `${first}:refs/heads/main`);
      const { token, path, writeId } = await one.device.call("BeginWrite", { repository, author: "grace" }, PATIENCE);
      await git(path, "update-ref", "refs/tags/made", first);
      await using held = await one.hold("session.kept");
      const aborting = one.device.call("AbortWrite", { repository, token }, PATIENCE).catch(() => {});
      await held.reached();
      await strike(one, repository, victim, held.release);
      await aborting;
      const kept = `refs/lockstep/dropped/${writeId}/tags/made`;
      expect(await git(one.device.gitDir(repository), "-c", "safe.directory=*", "rev-parse", kept)).toBe(first);
      await ada.land(three.url(repository), `${await ada.commit()}:refs/heads/next`);
      await expectAtRest(cluster, repository);
    },
  );
});

describe("work on the files of a replica at", () => {
  it.each(cases(points("live"), ["sidecar", "database", "device"]))(
    "%s survives the death of its %s, and what was changed has landed or is kept",
    async (point, victim) => {
      const repository = await cluster.createRepository();
      const first = await ada.commit();
      await ada.land(one.device.url(repository), `${first}:refs/heads/main`);
      await two.device.call("BeforeRead", { repository }, PATIENCE);
      await using held = await one.hold(point);
      const beginning = one.device.call("BeginWrite", { repository, author: "grace", live: true }, PATIENCE);
      beginning.catch(() => {});
      if (point === "live.noted") {
        await held.reached();
        await strike(one, repository, victim, held.release);
      }
      const session = await beginning.catch(() => undefined);
      if (session) {
        const { token, path, writeId } = session;
        await git(path, "update-ref", "refs/tags/made", first);
        const bump = () => one.device.call("BumpVersion", { repository, token }, PATIENCE).catch((error) => error);
        const landing = bump();
        if (point === "live.moved") {
          await held.reached();
          await strike(one, repository, victim, held.release);
        }
        await landing;
        const again = await bump();
        const { refs } = await expectAtRest(cluster, repository);
        if (refs.has("refs/tags/made")) expect(again).toMatchObject({ version: "2", refsChanged: 1 });
        else {
          expect(again).toMatchObject({ code: "WRITE_DROPPED" });
          const { savedRefs } = await one.device.call("AbortWrite", { repository, token }, PATIENCE);
          expect(savedRefs).toEqual([`refs/lockstep/dropped/${writeId}/tags/made`]);
        }
      }
      await ada.land(one.device.url(repository), `${await ada.commit()}:refs/heads/next`);
      await ada.land(three.url(repository), `${await ada.commit()}:refs/heads/other`);
      await expectAtRest(cluster, repository);
    },
  );
});
