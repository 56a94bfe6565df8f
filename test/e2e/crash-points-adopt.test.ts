// An adoption: whatever dies at each of its steps, the directory is adopted whole by the next sidecar, and nothing of it is lost.
import { readdir } from "node:fs/promises";
import { describe, expect, it, vi } from "vitest";
import { expectAtRest } from "../support/at-rest.ts";
import { PATIENCE } from "../support/cluster-device.ts";
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
} from "../support/crash-strikes.ts";
import { plainCommit, plainGit, plainRepository } from "../support/plain-repository.ts";

startClusterToStrike();

let made = 0;
async function plain() {
  made += 1;
  const repository = `moved/${made}`;
  const ids = await plainRepository(one.device.gitDir(repository), ["main", "topic"]);
  return { repository, main: ids.main! };
}

/** Resolves when the command to adopt has ended. */
async function untilEnded(repository: string): Promise<void> {
  await vi.waitFor(async () => {
    const { document } = await three.lockstep("command", "list");
    const adoptions = document.commands.filter(
      (each: { repository: string; command: string }) => each.repository === repository && each.command === "adopt",
    );
    expect(adoptions).toMatchObject([{ state: "done" }]);
  }, SOON);
}

describe("an adoption at", () => {
  it.each(cases(points("adopt").slice(0, 3), ["sidecar", "database", "device"]))(
    "%s survives the death of its %s",
    async (point, victim) => {
      const { repository, main } = await plain();
      await using held = await one.hold(point);
      const adopting = one.device.lockstep("repo", "adopt", repository).catch(() => {});
      await held.reached();
      await strike(one, repository, victim, held.release);
      await adopting;
      await untilEnded(repository);
      const { version, refs } = await expectAtRest(cluster, repository);
      expect(version).toBe(1);
      expect(refs.get("refs/heads/main")).toBe(main);
      expect(await one.device.lockstep("repo", "adopt", repository)).toMatchObject({
        code: 0,
        document: { adopted: [{ repository, version: 1 }] },
      });
      const left = (await readdir(one.device.gitDir(repository))).filter((name) =>
        /adopting|\.lock$|-edit$/.test(name),
      );
      expect(left).toEqual([]);
      await ada.land(one.device.url(repository), `${await ada.commit()}:refs/heads/next`);
      await ada.land(three.url(repository), `${await ada.commit()}:refs/heads/other`);
      await expectAtRest(cluster, repository);
    },
  );

  it.each(["sidecar", "database", "device"] as const)(
    "adopt.late survives the death of its %s, and the late push lands once",
    async (victim) => {
      const { repository, main } = await plain();
      const path = one.device.gitDir(repository);
      expect(await one.device.lockstep("repo", "adopt", repository)).toMatchObject({ code: 0 });
      await using held = await one.hold("adopt.late");
      // What a push does that began before the hook was there.
      const late = await plainCommit(path, "late", [main]);
      await plainGit(path, ["update-ref", "refs/heads/main", late, main]);
      const reading = one.device.call("BeforeRead", { repository }, PATIENCE).catch(() => {});
      await held.reached();
      await strike(one, repository, victim, held.release);
      await reading;
      await vi.waitFor(() => one.device.sync(repository), SOON);
      const { version, refs } = await expectAtRest(cluster, repository);
      expect(version).toBe(2);
      expect(refs.get("refs/heads/main")).toBe(late);
    },
  );
});
