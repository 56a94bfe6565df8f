import { chmod, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { listCommands } from "../../src/store/command/find-commands.ts";
import { replicasOf } from "../../src/store/replica/replicas.ts";
import { listScrubs } from "../../src/store/replica/scrubs.ts";
import { findRepository } from "../../src/store/repository/repositories.ts";
import { verify } from "../../src/sync/operator/verify-replica.ts";
import { collectGarbage } from "../../src/sync/upkeep/collect-garbage.ts";
import { Scrubs } from "../../src/sync/upkeep/scrubs.ts";
import { suspectDamage } from "../../src/sync/upkeep/suspect-damage.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change, SOON, type TestDevice } from "../support/sync-device.ts";

const APP = "team/app";

async function pair(): Promise<{ cluster: TestCluster; a: TestDevice; b: TestDevice }> {
  const cluster = await TestCluster.make();
  onTestFinished(() => cluster[Symbol.asyncDispose]());
  const [a, b] = await cluster.pair(APP);
  const one = await a.commit(APP, "one");
  await a.push(APP, [change("main", null, one)]);
  await a.git(APP, ["repack", "-adq"]);
  await b.read(APP);
  return { cluster, a, b };
}

const scrub = (device: TestDevice) =>
  verify(device.context, APP, { full: true, gently: true, signal: AbortSignal.timeout(SOON.timeout) });

/** Changes a byte in the middle of a file below `objects/`. */
async function damage(device: TestDevice, matching: RegExp): Promise<string> {
  const objects = join(device.gitDir(APP), "objects");
  const files = await readdir(objects, { recursive: true });
  const file = files.find((each) => matching.test(each)) as string;
  const content = await readFile(join(objects, file));
  const middle = content.length >> 1;
  content[middle] = (content[middle] as number) ^ 0xff;
  await chmod(join(objects, file), 0o644);
  await writeFile(join(objects, file), content);
  return file;
}

/** Moves the last scrub of a replica into the past; `done`: there was one. */
async function scrubbedDaysAgo(cluster: TestCluster, repository: string, days: number, done = true): Promise<void> {
  await cluster.sql(
    `update lockstep.replica set scrubbed_at = clock_timestamp() - make_interval(days => $2),
       scrub = case when $3 then '{"differences":0,"damage":[],"failure":null,"clean":true}'::jsonb end
     where repository_id = (select id from lockstep.repository where name = $1)`,
    [repository, days, done],
  );
}

describe("a replica that was read in full", () => {
  it("has that on record, with what was found, until the next time", async () => {
    const { a } = await pair();
    const { id } = await findRepository(a.context.db, APP);
    const recorded = async () => (await replicasOf(a.context.db, id)).find(({ device }) => device === a.name);
    expect(await recorded()).toMatchObject({ scrub: null, scrubbedAt: null });
    await verify(a.context, APP, { full: false, signal: a.context.signal });
    expect(await recorded()).toMatchObject({ scrub: null });
    await scrub(a);
    expect(await recorded()).toMatchObject({ scrub: { differences: 0, damage: [], failure: null } });
    expect(await listScrubs(a.context.db, 45, 10)).toEqual([]);
    const pack = await damage(a, /pack-.*\.pack$/);
    const { damage: found } = await scrub(a);
    expect(pack).toContain(found[0]);
    expect(await listScrubs(a.context.db, 45, 10)).toMatchObject([
      {
        repository: APP,
        device: a.name,
        overdue: false,
        at: expect.any(Date),
        scrub: { damage: found, failure: null },
      },
    ]);
    await scrub(a);
    expect(await listScrubs(a.context.db, 45, 10)).toEqual([]);
    await a.expectInLockstep(APP);
  });

  it.each([/multi-pack-index$/, /multi-pack-index-.*\.bitmap$/, /commit-graph$/])(
    "loses %s if it is damaged, and gets it back from the next gc",
    async (file) => {
      const { a } = await pair();
      const gc = () => collectGarbage(a.context, APP, { signal: a.context.signal, all: true });
      await gc();
      const damaged = await damage(a, file);
      expect(await scrub(a)).toMatchObject({ damage: [damaged], failure: null });
      await a.git(APP, ["fsck", "--full", "--strict"]);
      expect(await scrub(a)).toMatchObject({ damage: [] });
      expect(await gc()).toMatchObject({ bitmap: true });
      await a.git(APP, ["multi-pack-index", "verify"]);
      await a.git(APP, ["commit-graph", "verify"]);
      await a.expectInLockstep(APP);
    },
  );
});

describe("scrubs", () => {
  const scrubsOf = ({ context }: TestDevice, scrubDays = 30) =>
    new Scrubs({ ...context, upkeep: { ...context.upkeep, scrubDays } });

  async function three() {
    const cluster = await TestCluster.make();
    onTestFinished(() => cluster[Symbol.asyncDispose]());
    const device = await cluster.start("repo001");
    for (const name of ["a", "b", "c"]) await cluster.create(name, [device]);
    return { cluster, device };
  }

  it("are spread over the time: with three replicas and thirty days one every ten days, the oldest first", async () => {
    const { cluster, device } = await three();
    await scrubbedDaysAgo(cluster, "a", 19);
    await scrubbedDaysAgo(cluster, "b", 29);
    await scrubbedDaysAgo(cluster, "c", 9);
    expect(await scrubsOf(device).order()).toEqual([]);
    await scrubbedDaysAgo(cluster, "c", 11);
    const scrubs = scrubsOf(device);
    expect(await scrubs.order()).toEqual(["b"]);
    expect(await scrubs.order()).toEqual([]);
    const ordered = await listCommands(device.context.db, { limit: 10 });
    expect(ordered).toMatchObject([{ command: "verify", repository: "b", device: device.name, reason: "scrub" }]);
    // The next process does not order it once more.
    expect(await scrubsOf(device).order()).toEqual([]);
  });

  it("begin slowly where there never was one, and not with replicas that were made a moment ago", async () => {
    const { cluster, device } = await three();
    expect(await scrubsOf(device).order()).toEqual([]);
    for (const name of ["a", "b", "c"]) await scrubbedDaysAgo(cluster, name, 20, false);
    expect(await scrubsOf(device).order()).toEqual([]);
  });

  it("hurry when they are overdue, and can be switched off", async () => {
    const { cluster, device } = await three();
    await scrubbedDaysAgo(cluster, "a", 60);
    await scrubbedDaysAgo(cluster, "b", 50);
    await scrubbedDaysAgo(cluster, "c", 3);
    expect(await scrubsOf(device, 0).order()).toEqual([]);
    expect(await scrubsOf(device).order()).toEqual(["a"]);
    expect(await listScrubs(device.context.db, 45, 10)).toMatchObject([
      { repository: "a", overdue: true },
      { repository: "b", overdue: true },
    ]);
    expect(await listScrubs(device.context.db, 0, 10)).toEqual([]);
  });
});

describe("a git that fails", () => {
  it.each([
    [
      "error: inflate: data stream error (incorrect data check)\nfatal: packed object 17 (stored in x) is corrupt",
      true,
    ],
    ["fatal: unable to read tree 1234", true],
    ["error: refs/heads/main does not point to a valid object!\nfatal: bad object 1234", true],
    ["fatal: git upload-pack: not our ref 1234", false],
    ["fatal: the remote end hung up unexpectedly", false],
  ])("a git that fails with the words %j orders a verification: %s", async (said, orders) => {
    const { a } = await pair();
    const { id, name } = a.replica(APP);
    expect(await suspectDamage(a.context, { id, name }, said)).toBe(orders);
    // Not for each of many clients.
    expect(await suspectDamage(a.context, { id, name }, said)).toBe(false);
    const ordered = (await listCommands(a.context.db, { limit: 10 })).map(({ command, device }) => [command, device]);
    expect(ordered).toEqual(orders ? [["verify", a.name]] : []);
  });
});
