// Files that gc makes from the objects of a replica. git believes what they say. It checks their checksums only when
// somebody asks for that.
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open, stat } from "node:fs/promises";
import { join } from "node:path";
import { namesIn } from "../../io/disk.ts";
import { MULTI_PACK_INDEX } from "./multi-pack-index.ts";

const GRAPH = "info/commit-graph";

/** Returns the damaged ones, by their paths below `objects/`. git does without them. Costs a look at each byte. */
export async function damagedTables(gitDir: string): Promise<string[]> {
  const packs = await namesIn(join(gitDir, "objects", "pack"));
  const tables = packs.filter((file) => file.startsWith(MULTI_PACK_INDEX) || /^pack-[0-9a-f]+\.mtimes$/.test(file));
  const damaged: string[] = [];
  for (const table of [...tables.map((file) => `pack/${file}`), GRAPH])
    if (!(await isSound(join(gitDir, "objects", table)))) damaged.push(table);
  return damaged;
}

/** Looks twice before it says no: a gc may have replaced the file meanwhile. */
async function isSound(path: string): Promise<boolean> {
  return (await hasItsChecksum(path)) || (await hasItsChecksum(path));
}

/** Returns whether a file ends with the hash of its other bytes. True for a file that is gone, and for a directory. */
async function hasItsChecksum(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  if (!found?.isFile()) return true;
  const sizes = [20, 32].filter((size) => found.size > size);
  for (const size of sizes) {
    const hash = createHash(size === 20 ? "sha1" : "sha256");
    for await (const chunk of createReadStream(path, { end: found.size - size - 1 })) hash.update(chunk as Buffer);
    if (hash.digest().equals(await readEnd(path, found.size, size))) return true;
  }
  return false;
}

async function readEnd(path: string, fileSize: number, size: number): Promise<Buffer> {
  const file = await open(path, "r");
  try {
    return (await file.read(Buffer.alloc(size), 0, size, fileSize - size)).buffer;
  } finally {
    await file.close();
  }
}
