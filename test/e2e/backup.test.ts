// Backups of the database and of the disks, restored in any order: what heals by itself, and what docs/backup.md says to
// type. No acknowledged push that is in one of the backups disappears without a word.
import { spawnSync } from "node:child_process";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { expectVerified } from "../support/at-rest.ts";
import { type Cluster, startCluster } from "../support/cluster.ts";
import { type Device, PATIENCE } from "../support/cluster-device.ts";
import { type DatabaseProxy, databaseProxy } from "../support/database-proxy.ts";
import { typeDocumented } from "../support/documented.ts";
import { PostgresServers, replicationMissing, type Server } from "../support/postgres-servers.ts";
import { type Pusher, pusher } from "../support/pusher.ts";
import { soon } from "../support/soon.ts";

const missing = replicationMissing();
if (missing) console.log(`skipped, backups of the database: ${missing}`);
const SOON = soon(200);
const KEPT = "team/kept";
const BETWEEN = "team/between";
const YOUNG = "team/young";

let servers: PostgresServers;
let server: Server;
let proxy: DatabaseProxy;
let cluster: Cluster;
let one: Device;
let two: Device;
let three: Device;
let ada: Pusher;
/** The branches of each repository that were acknowledged, and when: before the night, in it, or after it. */
let refs: Record<string, Record<string, string>>;
let restored = 0;

async function push(device: Device, repository: string, branch: string): Promise<void> {
  const commit = await ada.commit();
  await ada.land(device.url(repository), `${commit}:refs/heads/${branch}`);
  refs[repository] = { ...refs[repository], [branch]: commit };
  for (const each of cluster.devices) await each.call("BeforeRead", { repository }, PATIENCE);
}

function copy(from: string, to: string): void {
  const { status, stderr } = spawnSync("cp", ["-a", from, to], { encoding: "utf8" });
  if (status !== 0) throw new Error(`cp ended with ${status}: ${stderr}`);
}

const copyOf = ({ name }: Device) => join(cluster.dir, `night-${name}`);

async function restoreDisk(device: Device): Promise<void> {
  await rm(device.demo.root, { recursive: true });
  copy(copyOf(device), device.demo.root);
}

async function restoreDatabase(): Promise<void> {
  const old = server;
  restored += 1;
  server = await servers.restore("night", `restored-${restored}`);
  proxy.retarget(server.url);
  await servers.remove(old);
}

/** Stops the sidecars, does the work, and starts them again. */
async function stopped(devices: readonly Device[], work: () => Promise<void>): Promise<void> {
  for (const device of devices) await device.kill();
  await work();
  await Promise.all(devices.map((device) => device.start()));
}

const branchesOn = async (device: Device, repository: string): Promise<Record<string, string>> => {
  const listed = await cluster.git.git(["ls-remote", device.url(repository), "refs/heads/*"]);
  const lines = listed.split("\n").filter(Boolean);
  return Object.fromEntries(lines.map((line) => line.split("\trefs/heads/").reverse()));
};

/** Expects these branches on every device, for every reader and on the disk. */
async function expectInLockstep(repository: string, branches: readonly string[]): Promise<void> {
  const wanted = Object.fromEntries(branches.map((branch) => [branch, refs[repository]?.[branch]]));
  for (const device of cluster.devices) {
    await vi.waitFor(async () => expect(await branchesOn(device, repository), device.name).toEqual(wanted), SOON);
    await vi.waitFor(() => expectVerified(device, repository, true), SOON);
  }
}

interface Row {
  readonly name: string;
  readonly stopped: string | null;
  readonly leaders: readonly string[];
}

/** The rows of `lockstep status`, by name. */
const statusRows = async (): Promise<Row[]> => {
  const { repositories } = (await one.lockstep("status")).document as { repositories: Row[] };
  return repositories.sort((a, b) => a.name.localeCompare(b.name));
};
const stops = async () => (await statusRows()).filter(({ stopped }) => stopped !== null).map(({ name }) => name);

const typeAsDocumented = (heading: string, repository = "") =>
  typeDocumented(one, "backup.md", heading, { "team/app": repository });

describe.skipIf(missing)("a backup of the night", () => {
  beforeAll(async () => {
    servers = await PostgresServers.create();
    server = await servers.make("first", []);
    proxy = await databaseProxy(server.url);
    cluster = await startCluster({ via: async () => proxy.url });
    [one, two, three] = cluster.devices as [Device, Device, Device];
    ada = await pusher(cluster.git, "ada");
    refs = {};
    for (const repository of [KEPT, BETWEEN]) {
      await one.call("CreateRepository", { repository }, PATIENCE);
      await push(one, repository, "before");
    }
    await servers.backUp(server, "night");
    await push(two, BETWEEN, "in-between");
    for (const device of cluster.devices) copy(device.demo.root, copyOf(device));
    for (const device of cluster.devices) await push(device, KEPT, `after-${device.name}`);
    await one.call("CreateRepository", { repository: YOUNG }, PATIENCE);
    await push(one, YOUNG, "after");
  });
  afterAll(async () => {
    await cluster?.[Symbol.asyncDispose]();
    await proxy?.[Symbol.asyncDispose]();
    await servers?.[Symbol.asyncDispose]();
  });

  const AFTER = ["after-repo001", "after-repo002", "after-repo003", "before"];

  it("of one disk, and an empty disk, heal by themselves", async () => {
    await stopped([two, three], async () => {
      await restoreDisk(two);
      await rm(three.demo.root, { recursive: true });
      await mkdir(join(three.demo.root, ".lockstep"), { recursive: true });
    });
    await expectInLockstep(KEPT, AFTER);
    await expectInLockstep(BETWEEN, ["before", "in-between"]);
    await expectInLockstep(YOUNG, ["after"]);
  });

  it("of the database: the disks keep all that came later, and one device says so for each repository", async () => {
    await stopped(cluster.devices, restoreDatabase);
    await vi.waitFor(async () => expect(await stops()).toEqual([BETWEEN, KEPT]), SOON);
    // Each device has found the directory that the database does not know.
    await vi.waitFor(async () => {
      const { unknown } = await one.call("GetStatus", {}, PATIENCE);
      expect(unknown.map(({ repository }) => repository)).toEqual([YOUNG, YOUNG, YOUNG]);
    }, SOON);
    const [, , adopted] = await typeAsDocumented("The database is older");
    expect(adopted).toMatchObject({ adopted: [{ repository: YOUNG }], refused: [] });
    await expectInLockstep(KEPT, AFTER);
    await expectInLockstep(BETWEEN, ["before", "in-between"]);
    await expectInLockstep(YOUNG, ["after"]);
  });

  it("of all disks: versions that only they had are named, and given up on the word of an operator", async () => {
    await stopped(cluster.devices, async () => {
      for (const device of cluster.devices) await restoreDisk(device);
    });
    const lost = await vi.waitFor(async () => {
      const rows = (await statusRows()).filter(({ leaders }) => leaders.length === 0).map(({ name }) => name);
      expect(rows).toEqual([KEPT, YOUNG]);
      return rows;
    }, SOON);
    await vi.waitFor(async () => {
      const { stdout } = await one.print("status");
      expect(stdout).toMatch(
        / - .*: no device has the newest version; start a device that has it, or see `lockstep thaw/,
      );
      expect(stdout).toMatch(/ stuck: version \d+ is on no device/);
    }, SOON);
    for (const repository of lost)
      expect((await cluster.git.run(["ls-remote", one.url(repository)])).stderr).toContain("No device could send");
    const [decided] = await typeAsDocumented("All disks are older", KEPT);
    const given = AFTER.filter((branch) => branch !== "before").map((branch) => refs[KEPT]?.[branch]);
    expect([...decided.repositories[0].lost.not_here].sort()).toEqual(given.sort());
    await expectInLockstep(KEPT, ["before"]);
    await expectInLockstep(BETWEEN, ["before", "in-between"]);
  });

  it("of both: the disks were copied after the database, so all that was acknowledged by then is there", async () => {
    await stopped(cluster.devices, async () => {
      await restoreDatabase();
      for (const device of cluster.devices) await restoreDisk(device);
    });
    await vi.waitFor(async () => expect(await stops()).toEqual([BETWEEN]), SOON);
    await typeAsDocumented("Both are older");
    await expectInLockstep(KEPT, ["before"]);
    await expectInLockstep(BETWEEN, ["before", "in-between"]);
    await push(three, BETWEEN, "again");
    await expectInLockstep(BETWEEN, ["again", "before", "in-between"]);
  });
});
