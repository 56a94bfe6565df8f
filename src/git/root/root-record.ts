// What the root remembers of itself: which device's disk it is, who served it last, and which version each replica had. A disk that
// was swapped, restored from an older copy or served after a new boot does not match, and then everything is compared.
import { randomUUID } from "node:crypto";
import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import type { Version } from "../../domain.ts";
import { LockstepError } from "../../errors.ts";
import { makeDirectory, replaceFile } from "../../io/disk.ts";

/** Below the root, and no repository: names of repositories cannot start with a dot. */
export const STATE_DIR = ".lockstep";

export interface RootRecord {
  readonly rootId: string;
  readonly device: string;
  /** Text, because JSON has no bigint. */
  readonly fence: string;
  readonly bootId: string;
  readonly pid: number;
  /**
   * As long as it stays the same, what was noted beside the replicas is what is on disk: same disk, same boot, no other
   * incarnation in between. Whatever was noted in an earlier epoch counts for nothing until that replica has been compared.
   */
  readonly epoch: string;
}

/** The record of a root, made when the root is new. Throws NOT_A_REPOSITORY when the root is another device's. */
export async function openRoot(root: string, device: string): Promise<RootRecord> {
  await makeDirectory(join(root, STATE_DIR), 0o700);
  const record = await readRootRecord(root);
  if (record === undefined) {
    const fresh: RootRecord = { rootId: randomUUID(), device, fence: "0", bootId: "", pid: 0, epoch: randomUUID() };
    await writeRootRecord(root, fresh);
    return fresh;
  }
  if (record.device !== device) {
    throw new LockstepError(
      "NOT_A_REPOSITORY",
      `The root ${root} belongs to device ${record.device}, not to ${device}; give each device a root of its own.`,
    );
  }
  return record;
}

/** The record of a root; undefined where no sidecar has served it yet. */
export async function readRootRecord(root: string): Promise<RootRecord | undefined> {
  const text = await readFile(join(root, STATE_DIR, "root.json"), "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return undefined;
    throw error;
  });
  return text === undefined ? undefined : (JSON.parse(text) as RootRecord);
}

/** Replaces the record, durably. */
export async function writeRootRecord(root: string, record: RootRecord): Promise<void> {
  await replaceFile(join(root, STATE_DIR, "root.json"), `${JSON.stringify(record)}\n`, 0o600);
}

/** The epoch to serve a root in: the recorded one if nobody but the recorded incarnation can have touched the disk since. */
export function nextEpoch(record: RootRecord, bootId: string, previousFence: bigint): string {
  const same = bootId !== "" && record.bootId === bootId && record.fence === String(previousFence);
  return same ? record.epoch : randomUUID();
}

/** Names this boot of the machine; empty where the system does not say, which matches nothing. */
export async function currentBoot(): Promise<string> {
  return (await readFile("/proc/sys/kernel/random/boot_id", "utf8").catch(() => "")).trim();
}

export interface ReplicaRecord {
  readonly repositoryId: string;
  readonly version: Version;
  readonly digest: string;
  readonly epoch: string;
}

const REPLICA_RECORD = "lockstep.version";

/**
 * Notes what a replica holds, beside it. Not synced: it is believed only within the boot that wrote it, where what was
 * written is what is read.
 */
export async function writeReplicaRecord(gitDir: string, record: ReplicaRecord): Promise<void> {
  const aside = join(gitDir, `${REPLICA_RECORD}.new`);
  const line = `${record.repositoryId} ${record.version} ${record.digest} ${record.epoch}`;
  await writeFile(aside, `${line} ${crc32(line)}\n`);
  await rename(aside, join(gitDir, REPLICA_RECORD));
}

/** The note of `writeReplicaRecord`, or undefined when there is none that can be read. */
export async function readReplicaRecord(gitDir: string): Promise<ReplicaRecord | undefined> {
  const text = await readFile(join(gitDir, REPLICA_RECORD), "utf8").catch(() => "");
  const [, line = "", sum] = /^(.*) (\d+)\n$/.exec(text) ?? [];
  // A bit that rotted must not pass for a version that the database has lost.
  if (sum !== String(crc32(line))) return undefined;
  const [repositoryId, version, digest, epoch] = line.split(" ") as [string, string, string, string];
  return { repositoryId, version: BigInt(version), digest, epoch };
}

/** In no epoch. */
const DOUBT = "00000000-0000-0000-0000-000000000000";

/**
 * What is on disk is in doubt, and must be compared whatever happens next. Which version it was (`known`; else it is looked up) stays
 * noted: a database that knows only older ones has lost some.
 */
export async function doubtReplicaRecord(gitDir: string, known?: Omit<ReplicaRecord, "epoch">): Promise<void> {
  const record = known ?? (await readReplicaRecord(gitDir));
  try {
    if (record) await writeReplicaRecord(gitDir, { ...record, epoch: DOUBT });
    else await rm(join(gitDir, REPLICA_RECORD), { force: true });
  } catch (error) {
    // The replica is gone, and its note with it.
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "ENOENT" && code !== "ENOTDIR") throw error;
  }
}
