// A removal and a restore: whatever dies at each of their steps, the repository is out of service or has every
// acknowledged push, and every device ends up with its files where they belong.
import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import type { CrashPoint } from "../../src/crash-points.ts";
import { administer } from "../support/administer.ts";
import type { Device } from "../support/cluster-device.ts";
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
  type Victim,
} from "../support/crash-strikes.ts";
import { PushHistory } from "../support/push-history.ts";

const VICTIMS: Victim[] = ["sidecar", "database", "device"];

startClusterToStrike();

const aside = async (device: Device, id: string) =>
  (await readdir(join(device.demo.root, ".lockstep", "removed")).catch(() => [])).filter((name) => name.startsWith(id));
const removed = async (name: string) =>
  (await three.lockstep("repo", "list", "--removed")).document.repositories.find(
    (each: { name: string }) => each.name === name,
  );
const sql = (text: string, values: unknown[]) =>
  administer(cluster.databaseUrl, async (client) => (await client.query(text, values)).rows);

/** The call that may lose its answer when its sidecar dies. */
const ask = (point: CrashPoint, ...args: string[]) =>
  (point.endsWith(".decided") ? two.device : three).lockstep("repo", ...args);

async function untilAside(name: string): Promise<string> {
  await vi.waitFor(async () => expect(await removed(name)).toMatchObject({ waits_for: [] }), SOON);
  const { id } = await removed(name);
  for (const device of cluster.devices) {
    await vi.waitFor(async () => expect(await aside(device, id)).toHaveLength(1), SOON);
    expect(existsSync(device.gitDir(name))).toBe(false);
  }
  return id;
}

async function expectBack(history: PushHistory, id: string): Promise<void> {
  for (const device of cluster.devices)
    await vi.waitFor(() => expect(existsSync(device.gitDir(history.repository))).toBe(true), SOON);
  await history.untilAcknowledged(two.device, "next");
  await history.expectTrueAndAtRest();
  for (const device of cluster.devices) expect(await aside(device, id)).toEqual([]);
}

describe("a removal at", () => {
  it.each(cases(["remove.decided", ...points("release")], VICTIMS))(
    "%s survives the death of its %s, and a restore brings every acknowledged push back",
    async (point, victim) => {
      const history = await PushHistory.begin(cluster, ada);
      const name = history.repository;
      await history.untilAcknowledged(one.device, "line");
      await using held = await two.hold(point);
      const removing = ask(point, "remove", name, "--yes");
      await held.reached();
      await strike(two, name, victim, held.release);
      await removing;
      const id = await untilAside(name);
      const again = await three.lockstep("repo", "remove", name, "--yes");
      expect(again).toMatchObject({ code: 1, document: { error: { details: { repository_id: id } } } });
      expect(await three.lockstep("repo", "restore", name)).toMatchObject({ code: 0, document: { id } });
      await expectBack(history, id);
    },
  );
});

describe("a restore at", () => {
  it.each(cases(points("restore"), VICTIMS))("%s survives the death of its %s", async (point, victim) => {
    const history = await PushHistory.begin(cluster, ada);
    const name = history.repository;
    await history.untilAcknowledged(one.device, "line");
    expect(await three.lockstep("repo", "remove", name, "--yes")).toMatchObject({ code: 0 });
    const id = await untilAside(name);
    await using held = await two.hold(point);
    const restoring = ask(point, "restore", name);
    await held.reached();
    await strike(two, name, victim, held.release);
    await restoring;
    // If the sidecar that was asked died, the caller does not know, and asks again.
    const again = await three.lockstep("repo", "restore", name, "--id", id);
    expect(again).toMatchObject({ code: 0, document: { repository: name } });
    await expectBack(history, id);
  });
});

describe("the end of a removed repository at", () => {
  it.each(cases(points("destroy"), VICTIMS))("%s survives the death of its %s", async (point, victim) => {
    const name = await cluster.createRepository();
    await ada.land(one.device.url(name), `${await ada.commit()}:refs/heads/main`);
    await using held = await two.hold(point);
    await three.lockstep("repo", "remove", name, "--yes", "--keep-days", "0");
    const { id } = await removed(name);
    await held.reached();
    expect(await three.lockstep("repo", "restore", name)).toMatchObject({ code: 1 });
    await strike(two, name, victim, held.release);
    for (const device of cluster.devices)
      await vi.waitFor(async () => expect(await aside(device, id)).toEqual([]), SOON);
    await vi.waitFor(
      async () =>
        expect(await sql("select distinct state from lockstep.replica where repository_id = $1", [id])).toEqual([
          { state: "destroyed" },
        ]),
      SOON,
    );
  });

  it.each(cases(["remove.purging"], ["sidecar", "database"]))(
    "%s survives the death of its %s",
    async (point, victim) => {
      const name = await cluster.createRepository();
      await ada.land(one.device.url(name), `${await ada.commit()}:refs/heads/main`);
      await three.lockstep("repo", "remove", name, "--yes", "--keep-days", "0");
      const { id } = await removed(name);
      await using held = await two.hold(point);
      await using other = await one.hold(point);
      for (const device of cluster.devices)
        await vi.waitFor(async () => expect(await aside(device, id)).toEqual([]), SOON);
      await sql("update lockstep.repository set removed_at = removed_at - interval '2 days' where id = $1", [id]);
      // Whichever device is the first.
      const [first] = await Promise.race([
        held.reached().then(() => [two]),
        other.reached().then(() => [one]),
        vi
          .waitUntil(async () => (await sql("select from lockstep.repository where id = $1", [id])).length === 0, SOON)
          .then(() => []),
      ]);
      if (first) await strike(first, name, victim, first === two ? held.release : other.release);
      await held.release();
      await other.release();
      await vi.waitFor(
        async () => expect(await sql("select from lockstep.repository where id = $1", [id])).toEqual([]),
        SOON,
      );
      const acts = await sql("select action from lockstep.audit where repository = $1 and action = 'purge'", [name]);
      expect(acts).toEqual([{ action: "purge" }]);
    },
  );
});
