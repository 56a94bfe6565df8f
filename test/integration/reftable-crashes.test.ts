// A reftable after a killed sidecar and after power loss.
import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { openSync } from "node:fs";
import { readdir, readFile, rm, stat, truncate, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { differenceOf } from "../../src/digest.ts";
import type { RefUpdate } from "../../src/domain.ts";
import { landWrite, stageWrite } from "../../src/store/write/writes.ts";
import { APP, differences, LOCK, mixed, tables, tooOld } from "../support/reftables.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change, SOON, type TestDevice } from "../support/sync-device.ts";

vi.mock("node:fs", { spy: true });

if (tooOld) console.warn(`The tests of reftable are skipped: ${tooOld}.`);

/** What a push has done in the database when its sidecar is killed: staged it, and perhaps decided it. */
async function writeRows(
  { context, ...device }: TestDevice,
  base: bigint,
  updates: readonly RefUpdate[],
  decided: boolean,
) {
  const { id } = context.replicas.findByName(APP)!;
  const row = { writeId: randomUUID(), repositoryId: id, base };
  const names = updates.map(({ name }) => name);
  const staged = await stageWrite(context.db, context.me, { ...row, author: device.name, names });
  if (staged.outcome !== "staged") throw new Error(staged.outcome);
  const difference = differenceOf(staged.digestKey, updates);
  if (decided)
    expect(await landWrite(context.db, context.me, { ...row, difference, updates })).toMatchObject({
      outcome: "landed",
    });
}

/** A git that is killed when it has locked the refs. */
async function killPrepared(device: TestDevice, input: string): Promise<void> {
  const env = { ...process.env, GIT_DIR: device.gitDir(APP) };
  const child = spawn("git", ["update-ref", "--stdin"], { env, stdio: ["pipe", "pipe", "inherit"] });
  child.stdin.write(`start\n${input}prepare\n`);
  let said = "";
  for await (const chunk of child.stdout) {
    said += String(chunk);
    if (said.includes("prepare: ok")) child.kill("SIGKILL");
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  expect(await device.leftovers(APP)).toEqual([LOCK]);
}

describe.skipIf(tooOld)("after a sidecar was killed in a push to a reftable", () => {
  it.each([
    ["prepared", false],
    ["prepared", true],
    ["written but not noted", true],
  ])("%s, decided: %s: the first touch makes the refs what the log says", async (point, decided) => {
    await using cluster = await TestCluster.make();
    const [a, b] = await mixed(cluster);
    const [one, two, three] = await a.history(APP);
    await a.push(APP, [change("main", null, one), change("gone", null, one)]);
    const updates = [change("main", one, two), change("gone", one, null), change("new", null, one)];
    await writeRows(a, 1n, updates, decided);
    const commands = `update refs/heads/main ${two}\ndelete refs/heads/gone\ncreate refs/heads/new ${one}\n`;
    if (point === "prepared") await killPrepared(a, commands);
    else await a.git(APP, ["update-ref", "--stdin"], commands);
    const again = await a.restart();
    expect(await again.read(APP)).toMatchObject({ version: decided ? 2n : 1n });
    await again.expectInLockstep(APP);
    expect(await again.push(APP, [change("main", decided ? two : one, three)])).toEqual({ "refs/heads/main": null });
    await again.expectInLockstep(APP);
    await b.read(APP);
    await b.expectInLockstep(APP);
  });

  it("removes half a table and locks of tables, and no table", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await mixed(cluster);
    const [one, two] = await a.history(APP);
    await a.push(APP, [change("main", null, one)]);
    const before = await readdir(tables(a));
    await killPrepared(a, `update refs/heads/main ${two}\n`);
    for (const name of [`${before[0]}.lock`, "0x000000000009-0x000000000009-12345678.ref.temp.aB3dE6"])
      await writeFile(join(tables(a), name), "half");
    const again = await a.restart();
    await again.read(APP);
    expect((await readdir(tables(again))).sort()).toEqual(before.sort());
    await again.expectInLockstep(APP);
  });

  it("waits, while it runs, until a lock that its own git left is old", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await mixed(cluster);
    const [one, two] = await a.history(APP);
    await a.push(APP, [change("main", null, one)]);
    await killPrepared(a, `update refs/heads/main ${two}\n`);
    expect(await a.push(APP, [change("main", one, two)])).toMatchObject({
      "refs/heads/main": expect.stringContaining("locked"),
    });
    const old = new Date(Date.now() - 120_000);
    await utimes(join(a.gitDir(APP), LOCK), old, old);
    a.replica(APP).applied = undefined;
    await a.read(APP);
    expect(await a.push(APP, [change("main", one, two)])).toEqual({ "refs/heads/main": null });
    await a.expectInLockstep(APP);
  });
});

describe.skipIf(tooOld)("power loss and a reftable", () => {
  /** How often git synced a file, by its own count, in each ref transaction on the device from now on. */
  async function countSyncs(device: TestDevice): Promise<() => Promise<number[]>> {
    const trace = join(device.cluster.dir, "trace");
    await device.beforeGit(`case "$*" in *update-ref*) export GIT_TRACE2_EVENT=${trace};; esac`);
    return async () => {
      const events = (await readFile(trace, "utf8"))
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line));
      await rm(trace);
      const counted = events.filter(({ event, category }) => event === "counter" && category === "fsync");
      return counted.map(({ count }) => Number(count));
    };
  }

  it.each([1, 300])(
    "has git sync the table and the list of tables, and us their directory (%i refs)",
    async (count) => {
      await using cluster = await TestCluster.make();
      const [a] = await mixed(cluster);
      const [one] = await a.history(APP);
      const syncs = await countSyncs(a);
      vi.mocked(openSync).mockClear();
      await a.push(
        APP,
        Array.from({ length: count }, (_, index) => change(`b${index}`, null, one)),
      );
      const opened = vi.mocked(openSync).mock.calls.map(([path]) => String(path));
      expect(opened).toContain(tables(a));
      await vi.waitFor(async () => expect((await syncs())[0]).toBeGreaterThanOrEqual(2), SOON);
      expect(await differences(a)).toEqual([]);
    },
  );

  it.each<[string, (dir: string) => Promise<void>]>([
    ["an empty table", async (dir) => truncate(join(dir, (await readdir(dir)).find((name) => name.endsWith(".ref"))!))],
    [
      "a table of zeros",
      async (dir) => writeZeros(join(dir, (await readdir(dir)).find((name) => name.endsWith(".ref"))!)),
    ],
    ["a table missing", async (dir) => rm(join(dir, (await readdir(dir)).find((name) => name.endsWith(".ref"))!))],
    ["an empty list", async (dir) => truncate(join(dir, "tables.list"))],
    ["no list", async (dir) => rm(join(dir, "tables.list"))],
  ])("%s: refs that git cannot read are made anew from the log", async (_, damage) => {
    await using cluster = await TestCluster.make();
    const [a] = await mixed(cluster);
    const [one, two] = await a.history(APP);
    await a.push(APP, [change("main", null, one), change("topic", null, one)]);
    await a.crash();
    await damage(tables(a));
    await rm(join(a.gitDir(APP), "lockstep.version"));
    const again = await a.restart();
    expect(await again.read(APP)).toMatchObject({ version: 1n });
    await again.expectInLockstep(APP);
    // And at a push.
    await damage(tables(again));
    expect(await again.push(APP, [change("main", one, two)])).toEqual({ "refs/heads/main": null });
    await again.expectInLockstep(APP);
  });

  it("keeps copies for another device while a push of its own is being decided", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await mixed(cluster);
    await cluster.sql("update lockstep.repository set min_copies = 2");
    const ours = await a.commit(APP, "ours");
    const theirs = await b.commit(APP, "theirs");
    let asked = Promise.resolve<unknown>(undefined);
    a.onStatement = async (text, run) => {
      if (!text.includes("lockstep.bump(")) return await run();
      a.onStatement = (_, next) => next();
      // Its refs are locked: all of them, as reftable has it.
      const waits = vi.spyOn(a.replica(APP).mutex, "runExclusive");
      const ended = vi.fn();
      asked = b.push(APP, [change("theirs", null, theirs)]);
      void asked.then(ended, ended);
      await vi.waitFor(() => expect(waits.mock.calls.length + ended.mock.calls.length).toBeGreaterThan(0), SOON);
      expect(await a.has(APP, theirs)).toBe(true);
      return await run();
    };
    expect(await a.push(APP, [change("ours", null, ours)])).toEqual({ "refs/heads/ours": null });
    expect(await asked).toEqual({ "refs/heads/theirs": null });
    for (const device of [a, b]) await device.read(APP);
    for (const device of [a, b]) await device.expectInLockstep(APP);
  });
});

/** Writes zeros over a whole file: after power loss, blocks of a file may never have reached the disk. */
async function writeZeros(path: string): Promise<void> {
  await writeFile(path, Buffer.alloc((await stat(path)).size));
}
