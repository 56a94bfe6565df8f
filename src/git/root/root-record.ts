// The records of a root: which device owns its disk, which sidecar served it last, and which version each replica had.
// After a swapped disk, a restored copy or a new boot the records do not match. Then everything is compared.
import { randomUUID } from "node:crypto";
import { closeSync, constants, fstatSync, ftruncateSync, openSync, writeSync } from "node:fs";
import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { type Version, ZERO_UUID } from "../../domain.ts";
import { LockstepError } from "../../errors.ts";
import { exists, makeDirectory, replaceFile, textOf, unlessLacking } from "../../io/disk.ts";

/** A directory in the root. It is no repository, since names of repositories cannot start with a dot. */
export const STATE_DIR = ".lockstep";

/** The record of a root, in the file root.json. */
export interface RootRecord {
  readonly rootId: string;
  readonly device: string;
  /** Text, because JSON has no bigint. */
  readonly fence: string;
  readonly bootId: string;
  readonly pid: number;
  /**
   * While the epoch stays the same, the notes beside the replicas are true: same disk, same boot, no other incarnation
   * in between. A note of an earlier epoch counts for nothing until its replica has been compared.
   */
  readonly epoch: string;
}

/**
 * Returns the record of a root, and makes it for a new root. Throws NOT_A_REPOSITORY when the root belongs to another
 * device.
 */
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

/** Returns the record of a root; undefined when no sidecar has served it yet. */
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

/**
 * Returns the epoch in which to serve a root. It is the recorded one if only the recorded incarnation can have touched
 * the disk since, else a new one.
 */
export function nextEpoch(record: RootRecord, bootId: string, previousFence: bigint): string {
  const same = bootId !== "" && record.bootId === bootId && record.fence === String(previousFence);
  return same ? record.epoch : randomUUID();
}

/** Returns the id of this boot of the machine; empty where the system does not tell. An empty id matches nothing. */
export async function currentBoot(): Promise<string> {
  return (await readFile("/proc/sys/kernel/random/boot_id", "utf8").catch(() => "")).trim();
}

/** The version and digest that a replica on this disk had, and the epoch in which that was recorded. */
export interface ReplicaRecord {
  readonly repositoryId: string;
  readonly version: Version;
  readonly digest: string;
  readonly epoch: string;
}

const REPLICA_RECORD = "lockstep.version";

/**
 * Records a replica's version in a file beside it. The file is not synced: the record counts only within the boot that
 * wrote it, and within a boot a read returns the last write. Each push writes two records, so each goes over the last
 * one in place. A new file and its rename cost twenty times as much, and the syncs that follow would wait for both. A
 * record that is half written has a wrong sum, and counts for nothing.
 */
export async function writeReplicaRecord(gitDir: string, record: ReplicaRecord): Promise<void> {
  const path = join(gitDir, REPLICA_RECORD);
  const line = `${record.repositoryId} ${record.version} ${record.digest} ${record.epoch}`;
  const content = Buffer.from(`${line} ${crc32(line)}\n`);
  if (overwrite(path, content)) return;
  const aside = `${path}.new`;
  await writeFile(aside, content);
  await rename(aside, path);
}

/**
 * Replaces the content of a small file in place, without a thread. Returns false if there is no such file, or if it has
 * another name too. That name may be in a copy of the repository, which keeps what it has.
 */
function overwrite(path: string, content: Buffer): boolean {
  let file: number | undefined;
  try {
    file = openSync(path, constants.O_RDWR | constants.O_NOFOLLOW);
    const found = fstatSync(file);
    const { nlink, size } = found;
    if (!found.isFile() || nlink !== 1 || writeSync(file, content, 0, content.length, 0) < content.length) return false;
    if (size > content.length) ftruncateSync(file, content.length);
    return true;
  } catch {
    return false;
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

/**
 * Returns the record from `writeReplicaRecord`, or undefined when it is missing, damaged or not readable. Throws what
 * `unlessLacking` throws.
 */
export async function readReplicaRecord(gitDir: string): Promise<ReplicaRecord | undefined> {
  const text = await textOf(join(gitDir, REPLICA_RECORD), "utf8", unlessLacking);
  const [, line = "", sum] = /^(.*) (\d+)\n$/.exec(text) ?? [];
  // A rotten bit must not look like a version that the database has lost.
  if (sum !== String(crc32(line))) return undefined;
  const [repositoryId, version, digest, epoch] = line.split(" ") as [string, string, string, string];
  return { repositoryId, version: BigInt(version), digest, epoch };
}

/** Returns true when a record is there that `readReplicaRecord` cannot tell. */
export async function hasUnreadableRecord(gitDir: string): Promise<boolean> {
  return (await exists(join(gitDir, REPLICA_RECORD))) && (await readReplicaRecord(gitDir)) === undefined;
}

/** Stands for no epoch. */
const DOUBT = ZERO_UUID;

/** Returns true for a record from `doubtReplicaRecord`. */
export function isDoubted({ epoch }: Pick<ReplicaRecord, "epoch">): boolean {
  return epoch === DOUBT;
}

/**
 * Marks a replica as in doubt, so that it is compared whatever happens next. The record keeps the version (`known`,
 * else the recorded one): if the database knows only older versions, it has lost some.
 */
export async function doubtReplicaRecord(gitDir: string, known?: Omit<ReplicaRecord, "epoch">): Promise<void> {
  const record = known ?? (await readReplicaRecord(gitDir));
  try {
    if (record) await writeReplicaRecord(gitDir, { ...record, epoch: DOUBT });
    else await rm(join(gitDir, REPLICA_RECORD), { force: true });
  } catch (error) {
    // The replica is gone, and its record with it.
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "ENOENT" && code !== "ENOTDIR") throw error;
  }
}
