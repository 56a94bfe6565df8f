// Keeps the files of tests in memory if there is room. On a disk, syncing takes much of a test's time.
import { readFileSync, statfsSync } from "node:fs";
import { freemem } from "node:os";

const DIRECTORY = "/dev/shm";
/** A run of all tests needs less than half of this space. */
const ROOM = 4 * 2 ** 30;

/**
 * Makes /dev/shm the temporary directory of this process, unless it is small or allows no programs, or TMPDIR names
 * another.
 */
export function keepFilesInMemory() {
  if (process.env.TMPDIR === undefined && isUsable()) process.env.TMPDIR = DIRECTORY;
}

function isUsable() {
  try {
    const mounts = readFileSync("/proc/self/mounts", "latin1").split("\n");
    const [, , type, options] = mounts.findLast((line) => line.split(" ")[1] === DIRECTORY)?.split(" ") ?? [];
    if (type !== "tmpfs" || options === undefined || /\b(noexec|ro)\b/.test(options)) return false;
    const { bavail, bsize } = statfsSync(DIRECTORY);
    return Math.min(bavail * bsize, freemem()) >= ROOM;
  } catch {
    return false;
  }
}
