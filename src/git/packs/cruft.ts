// Objects that no ref reaches. git keeps them in packs with a file `.mtimes`, which has a time for each object.
import { readFile, utimes } from "node:fs/promises";
import { join } from "node:path";
import type { PackView } from "./pack-view.ts";

const HEADER_BYTES = 12;
const TIME_BYTES = 4;

/** Returns how many objects of a pack of unreachable objects have a time that is not after `before`. */
export async function countExpired(directory: string, name: string, before: Date): Promise<number> {
  const times = await readFile(join(directory, `${name}.mtimes`)).catch(() => Buffer.alloc(0));
  if (times.toString("latin1", 0, 4) !== "MTME") return 0;
  // Two checksums follow the times. The fourth word of the header names their kind.
  const sum = times.readUInt32BE(8) === 1 ? 20 : 32;
  const limit = before.getTime() / 1000;
  let count = 0;
  for (let at = HEADER_BYTES; at + TIME_BYTES <= times.length - 2 * sum; at += TIME_BYTES)
    if (times.readUInt32BE(at) <= limit) count += 1;
  return count;
}

/**
 * Sets the time of all objects in the view to now, except those that an earlier gc found unreachable. git takes the
 * time of its pack for the time of an object. So without this an object would count as old that lost its last ref a
 * moment ago.
 */
export async function startTheClock(view: PackView): Promise<void> {
  const now = new Date();
  const packs = view.packs.filter(({ cruft, kept }) => !cruft && !kept).map(({ name }) => join("pack", `${name}.pack`));
  for (const path of [...packs, ...view.loose])
    await utimes(join(view.path, path), now, now).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOENT") throw error;
    });
}
