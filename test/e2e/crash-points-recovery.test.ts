// A recovery, and a write that makes room for refs below others: every named step, with everything that may die there. Afterwards nothing is lost,
// nothing is halved, nothing is left over, and the next push works without anybody's help.
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { expectAtRest } from "../support/at-rest.ts";
import { PATIENCE } from "../support/cluster-device.ts";
import {
  ada,
  cases,
  cluster,
  git,
  nextPush,
  one,
  points,
  startClusterToStrike,
  strike,
  three,
  two,
  type Victim,
} from "../support/crash-strikes.ts";
import { PushHistory } from "../support/push-history.ts";

startClusterToStrike();

describe("a recovery at", () => {
  it.each(cases(points("recovery"), ["sidecar", "database", "device"]))(
    "%s survives the death of its %s",
    async (point, victim) => {
      const history = await PushHistory.begin(cluster, ada);
      await history.untilAcknowledged(one.device, "line");
      // Killed with half of its work done, and with its notes gone, it must compare everything.
      const half = await one.hold("push.committed");
      const push = history.push(one.device, "line");
      await half.reached();
      await one.device.kill();
      await half.release();
      await push;
      await rm(join(one.device.gitDir(history.repository), "lockstep.version"), { force: true });
      await using held = await one.hold(point);
      await one.restart();
      await held.reached();
      await strike(one, history.repository, victim, held.release);
      await nextPush(history, one.device, "line", victim);
      expect(await history.expectTrueAndAtRest()).toMatchObject({ version: 3 });
    },
  );
});

describe("where refs make room for others below them, refs.cleared", () => {
  const made = async () => {
    const repository = await cluster.createRepository();
    const first = await ada.commit();
    await ada.land(one.device.url(repository), `${first}:refs/heads/topic`);
    await two.device.call("BeforeRead", { repository }, PATIENCE);
    return { repository, first };
  };
  const expectMoved = async (repository: string, first: string) => {
    const { version, refs } = await expectAtRest(cluster, repository);
    expect([...refs]).toEqual([["refs/heads/topic/a", first]]);
    expect(version).toBe(2);
    await ada.land(three.url(repository), `${first}:refs/heads/next`);
    await expectAtRest(cluster, repository);
  };

  it.each<Victim>(["sidecar", "receive-pack", "database", "device"])(
    "of a push survives the death of its %s: all of it has landed",
    async (victim) => {
      const { repository, first } = await made();
      await using held = await one.hold("refs.cleared");
      const push = ada.push(one.device.url(repository), ":refs/heads/topic", `${first}:refs/heads/topic/a`);
      await held.reached();
      await strike(one, repository, victim, held.release);
      expect((await push).stderr).not.toMatch(/rejected/);
      await expectMoved(repository, first);
    },
  );

  it.each<Victim>(["sidecar", "database", "device"])("of a session survives the death of its %s", async (victim) => {
    const { repository, first } = await made();
    const { token, path } = await one.device.call("BeginWrite", { repository, author: "grace" }, PATIENCE);
    await git(path, "branch", "-m", "topic", "topic/a");
    await using held = await one.hold("refs.cleared");
    const bump = () => one.device.call("BumpVersion", { repository, token }, PATIENCE);
    const landing = bump().catch(() => {});
    await held.reached();
    await strike(one, repository, victim, held.release);
    await landing;
    expect(await bump()).toMatchObject({ version: "2", refsChanged: 2 });
    await expectMoved(repository, first);
  });

  it.each<Victim>(["sidecar", "database", "device"])("of a catch-up survives the death of its %s", async (victim) => {
    const { repository, first } = await made();
    await using held = await two.hold("refs.cleared");
    await ada.land(one.device.url(repository), ":refs/heads/topic", `${first}:refs/heads/topic/a`);
    await held.reached();
    await strike(two, repository, victim, held.release);
    await two.device.call("BeforeRead", { repository }, PATIENCE);
    await expectMoved(repository, first);
  });
});
