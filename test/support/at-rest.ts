// Checks a repository that nobody writes to: its refs, its log and its disks must agree after any faults.
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { expect, vi } from "vitest";
import type { LogEntry__Output as LogEntry } from "../../src/generated/lockstep/v1/LogEntry.ts";
import type { Cluster } from "./cluster.ts";
import { type Device, PATIENCE } from "./cluster-device.ts";
import { soon } from "./soon.ts";

const BACK_OFF = soon();

export interface AtRest {
  /** The version of the head, which every device holds. */
  readonly version: number;
  /** Ref name → object id, as git lists them. */
  readonly refs: ReadonlyMap<string, string>;
  /** The whole log, oldest first. */
  readonly log: readonly LogEntry[];
}

/**
 * Expects every device to hold exactly the refs of the log's head and to show them to stock git. Expects no leftovers
 * and no damage on any disk, and a log without gaps in its versions.
 */
export async function expectAtRest(cluster: Cluster, repository: string): Promise<AtRest> {
  const { devices } = cluster;
  // If the source of a device was down a moment ago, the device repeats that failure until it tries again.
  const verify = (device: Device) => device.call("VerifyReplica", { repository }, PATIENCE);
  const verified = await Promise.all(devices.map((device) => vi.waitFor(() => verify(device), BACK_OFF)));
  for (const { device, differences } of verified) expect(differences, `differences on ${device}`).toEqual([]);
  const log = await wholeLog(devices[0]!, repository);
  expect(log.map((entry) => Number(entry.version))).toEqual(log.map((_, index) => index + 1));
  expect(verified.map(({ version }) => Number(version))).toEqual(devices.map(() => log.length));

  const listed = await Promise.all(devices.map((device) => cluster.git.git(["ls-remote", device.url(repository)])));
  for (const list of listed) expect(list).toBe(listed[0]);
  const refs = new Map(
    listed[0]!
      .split("\n")
      .filter((line) => line.includes("\trefs/"))
      .map((line) => line.split("\t").reverse() as [string, string]),
  );

  for (const device of devices) {
    // If there are many refs, git may be packing them, each under its lock for a moment.
    await vi.waitFor(
      async () => expect(await leftovers(device.gitDir(repository)), `left on ${device.name}`).toEqual([]),
      BACK_OFF,
    );
    const fsck = await cluster.git.run(["-c", "safe.directory=*", "fsck", "--full", "--no-dangling"], {
      cwd: device.gitDir(repository),
    });
    expect(fsck, `fsck on ${device.name}`).toMatchObject({ code: 0, stdout: "" });
  }
  // A failed write is dropped only after its pusher has got the answer.
  await vi.waitFor(async () => {
    const { isWriting, writer } = await devices[0]!.call("GetVersion", { repository }, PATIENCE);
    expect({ isWriting, writer }).toEqual({ isWriting: false, writer: null });
  }, soon());
  return { version: log.length, refs, log };
}

/** Compares a replica with the log, as `lockstep verify` does without a process of its own. Expects no difference. */
export async function expectVerified(device: Device, repository: string, full = false): Promise<{ version: number }> {
  const answer = await device.call("VerifyReplica", { repository, full }, PATIENCE);
  const { differences, damage, failure } = answer;
  expect({ differences, damage, failure }, `${repository} on ${device.name}`).toEqual({
    differences: [],
    damage: [],
    failure: "",
  });
  return { version: Number(answer.version) };
}

/** Expects every device to show these refs (name → object id), and to hold a replica as the log says. */
export async function expectEverywhere(
  cluster: Cluster,
  repository: string,
  refs: ReadonlyMap<string, string>,
): Promise<void> {
  for (const device of cluster.devices) {
    const listed = await cluster.git.git(["ls-remote", device.url(repository)]);
    for (const [ref, id] of refs) expect(listed).toContain(`${id}\t${ref}`);
    await expectVerified(device, repository);
  }
}

/** Returns the whole log, oldest entry first. */
export async function wholeLog(device: Device, repository: string): Promise<LogEntry[]> {
  const log: LogEntry[] = [];
  for (let before = "0"; before !== "1"; before = log.at(-1)!.version) {
    const { entries } = await device.call("ListLog", { repository, before, limit: 1000 }, PATIENCE);
    if (entries.length === 0) break;
    log.push(...entries);
  }
  return log.reverse();
}

/**
 * Returns locks and the sidecar's quarantines. A quarantine of receive-pack may belong to an upload that still runs.
 */
async function leftovers(gitDir: string): Promise<string[]> {
  const files = await readdir(gitDir, { recursive: true });
  return files
    .filter((name) => name.endsWith(".lock") || name.includes("tmp_objdir-lockstep-"))
    .map((name) => join(gitDir, name));
}
