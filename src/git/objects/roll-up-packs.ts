// Combines small packs into larger ones. Every push and every catch-up leaves a pack of its own, and each git process
// looks into all of them. Nothing is pruned: unreachable objects may belong to a push that is about to be decided.
import { open, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { sync } from "../../io/disk.ts";
import { type GitContext, gitBytes } from "../process.ts";

/** A pack in the object directory of a replica. */
export interface Pack {
  /** Name of the pack's files without the ending, such as `pack-1234`. */
  readonly name: string;
  readonly objects: number;
}

/**
 * Position of the number of objects in a pack index of version 2. Before it come the magic, the version and the first
 * 255 entries of the fan-out table.
 */
const COUNT_OFFSET = 8 + 255 * 4;
/**
 * Files that mean that another program manages the packs: a pack that is being received or must stay, and indexes over
 * several packs.
 */
const HANDS_OFF = [".keep", ".promisor", ".mtimes"];
const LISTS = ["multi-pack-index", "multi-pack-index.d"];

/**
 * Rolls up packs when there are at least `limit`, until each pack holds at least twice the objects of all smaller ones.
 * So the number of rewrites of an object grows with the logarithm of the repository. Safe beside pushes and reads: the
 * new pack is durable before an old one goes, and git looks again when a pack has gone. Returns how many packs were
 * combined, 0 when there was nothing to do. Throws GIT_FAILED; then no pack has gone.
 */
export async function rollUpPacks(
  context: GitContext,
  gitDir: string,
  limit: number,
  signal: AbortSignal,
): Promise<number> {
  const directory = join(gitDir, "objects", "pack");
  const files = await readdir(directory);
  if (files.filter((file) => file.endsWith(".idx")).length < limit) return 0;
  if (files.some((file) => LISTS.includes(file))) return 0;
  const chosen = choosePacks(await readPacks(directory, files));
  if (chosen.length < 2) return 0;
  const args = [
    "pack-objects",
    "--stdin-packs",
    "--quiet",
    "--delta-base-offset",
    "--threads=1",
    join(directory, "pack"),
  ];
  const input = chosen.map(({ name }) => `${name}.pack\n`).join("");
  const { stdout } = await gitBytes(context, gitDir, args, { input, signal, writes: true });
  await sync(directory);
  const made = `pack-${stdout.toString("latin1").trim()}`;
  // The index goes first: without its index git does not see a pack.
  const endings = [".idx", ".pack", ".rev", ".bitmap"];
  for (const { name } of chosen) {
    if (name === made) continue;
    for (const ending of endings) await rm(join(directory, name + ending), { force: true });
  }
  return chosen.length;
}

async function readPacks(directory: string, files: readonly string[]): Promise<Pack[]> {
  const present = new Set(files);
  const names = files.filter((file) => /^pack-[0-9a-f]+\.idx$/.test(file)).map((file) => file.slice(0, -".idx".length));
  const free = names.filter(
    (name) => present.has(`${name}.pack`) && !HANDS_OFF.some((ending) => present.has(name + ending)),
  );
  const packs: Pack[] = [];
  for (const name of free) packs.push({ name, objects: await countObjects(join(directory, `${name}.idx`)) });
  return packs;
}

async function countObjects(index: string): Promise<number> {
  const file = await open(index, "r");
  try {
    const { buffer } = await file.read(Buffer.alloc(4), 0, 4, COUNT_OFFSET);
    return buffer.readUInt32BE(0);
  } finally {
    await file.close();
  }
}

/** Chooses the smallest packs: as few as leave each other pack with at least twice the objects of all smaller ones. */
export function choosePacks(packs: readonly Pack[]): Pack[] {
  const bySize = [...packs].sort((a, b) => a.objects - b.objects);
  let total = 0;
  let count = 0;
  for (const [index, { objects }] of bySize.entries()) {
    if (objects < 2 * total) count = index + 1;
    total += objects;
  }
  return bySize.slice(0, count);
}
