// A replica that comes into doubt while something else is being done with it.
import { access, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it, vi } from "vitest";
import { holdAtCrashPoints } from "../../src/crash-points.ts";
import { compareNotes } from "../../src/sync/catch-up/compare-notes.ts";
import { latch } from "../support/latch.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change, SOON, type TestDevice } from "../support/sync-device.ts";

const APP = "team/app";

/** A device at version 1 that has just started, and whose replica has no note. */
async function withoutNote(cluster: TestCluster): Promise<TestDevice> {
  const [a] = await cluster.pair(APP);
  await a.push(APP, [change("main", null, await a.commit(APP, "one"))]);
  await vi.waitFor(() => expect(a.replica(APP).recorded).toBe(1n), SOON);
  await rm(join(a.gitDir(APP), "lockstep.version"));
  return await a.restart();
}

it("a replica that comes into doubt while it is being compared is compared once more, and waiting callers are served", async () => {
  await using cluster = await TestCluster.make();
  const a = await withoutNote(cluster);
  const hold = join(cluster.dir, "recovery.forgotten");
  await writeFile(hold, "");
  holdAtCrashPoints(cluster.dir);
  try {
    const reading = a.read(APP);
    await vi.waitFor(() => access(`${hold}.reached`), SOON);
    const doubted = a.replica(APP).mutex.distrust();
    await rm(hold);
    expect(await reading).toMatchObject({ version: 1n });
    await doubted;
  } finally {
    holdAtCrashPoints(undefined);
  }
  await a.expectInLockstep(APP);
});

it("a replica without a note, compared with the log while all notes are, keeps its version", async () => {
  await using cluster = await TestCluster.make();
  const a = await withoutNote(cluster);
  const { opened: compared, open } = latch();
  const { opened: asked, open: haveAsked } = latch();
  a.onStatement = async (text, run) => {
    const answer = await run();
    // The rows and the notes have been read by now.
    if (text.includes("lockstep.standing(")) {
      haveAsked();
      await compared;
    }
    return answer;
  };
  const comparing = compareNotes(a.context);
  await asked;
  a.onStatement = (_, run) => run();
  expect(await a.read(APP)).toMatchObject({ version: 1n });
  open();
  await comparing;
  expect(a.replica(APP).applied).toBe(1n);
  await a.expectInLockstep(APP);
});

it("a record that is under way does not come after the one that the files are gone", async () => {
  await using cluster = await TestCluster.make();
  const a = await cluster.start("repo001");
  await cluster.create(APP, [a]);
  const ids = await a.history(APP);
  await a.push(APP, [change("main", null, ids[0])]);
  await a.expectInLockstep(APP);
  const [begun, recovering, lowered] = [latch(), latch(), latch()];
  const ended: string[] = [];
  a.onStatement = async (text, run) => {
    const records = text.includes("set state = 'active'");
    if (records) {
      begun.open();
      // If the lower version does not wait for this one, it is recorded by then, and this one comes too late.
      await recovering.opened;
      await Promise.race([lowered.opened, sleep(1_000)]);
    }
    const answer = await run();
    if (text.includes("select r.name, p.places")) recovering.open();
    if (records) ended.push("record");
    if (text.includes("set version = least(p.version, u.version)")) {
      ended.push("lower version");
      lowered.open();
    }
    return answer;
  };
  await a.push(APP, [change("main", ids[0], ids[1])]);
  await begun.opened;
  await rm(a.gitDir(APP), { recursive: true });
  const patience = AbortSignal.timeout(5 * SOON.timeout);
  await expect(a.read(APP, { signal: patience })).rejects.toMatchObject({ code: "NO_SOURCE" });
  const rows = await cluster.sql("select version, state from lockstep.replica");
  expect(rows).toEqual([{ version: "0", state: "pending" }]);
  await vi.waitFor(() => expect(ended).toContain("record"), SOON);
  expect(ended.slice(0, 2)).toEqual(["record", "lower version"]);
});
