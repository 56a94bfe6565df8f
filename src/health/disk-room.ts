// The room on the disk of a device, and how little of it an operator should hear of.
import { statfs } from "node:fs/promises";

/** The file system of a root. */
export interface DiskRoom {
  readonly freeBytes: number;
  readonly sizeBytes: number;
}

/** Below this `lockstep doctor` warns, and the first lines of `lockstep status` name the device. */
export const LITTLE_BYTES = 1 << 30;
/** Below this `lockstep doctor` says that the device cannot work. */
export const TOO_FEW_BYTES = 100 << 20;
/** Below this share of the disk the alert LockstepDiskFull fires. */
export const LOW_SHARE = 0.1;

/** low: by its share of the disk. little, too_little: by bytes. */
export type RoomState = "enough" | "low" | "little" | "too_little";

/** Judges the room on a disk. */
export function judgeRoom({ freeBytes, sizeBytes }: DiskRoom): RoomState {
  if (freeBytes < TOO_FEW_BYTES) return "too_little";
  if (freeBytes < LITTLE_BYTES) return "little";
  return freeBytes < sizeBytes * LOW_SHARE ? "low" : "enough";
}

/** Reads the room on the disk on which a path lies. A disk that hangs lets the caller wait. */
export async function readRoom(path: string): Promise<DiskRoom> {
  const { bavail, blocks, bsize } = await statfs(path);
  return { freeBytes: bavail * bsize, sizeBytes: blocks * bsize };
}
