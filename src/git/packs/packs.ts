// The packs in the object directory of a replica, and their removal.
import { open, readFile, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { makeDirectoryBelow, namesIn, replaceFile, sync } from "../../io/disk.ts";

/** A pack in the object directory of a replica. */
export interface Pack {
  /** Name of the pack's files without the ending, such as `pack-1234`. */
  readonly name: string;
  readonly objects: number;
  readonly bytes: number;
  /** A pack that is being received, or that somebody wants to stay as it is. */
  readonly kept: boolean;
  /** A pack of objects that no ref reached when it was made. */
  readonly cruft: boolean;
}

/**
 * Position of the number of objects in a pack index of version 2. Before it come the magic, the version and the first
 * 255 entries of the fan-out table.
 */
const COUNT_OFFSET = 8 + 255 * 4;

/** Files with these endings mean that somebody else decides how long the pack stays. */
const KEPT = [".keep", ".promisor"];

/** Returns the packs of `directory` (`objects/pack`) that are there in whole. Costs a small read for each. */
export async function readPacks(directory: string): Promise<Pack[]> {
  const files = new Set(await namesIn(directory));
  const packs: Pack[] = [];
  for (const file of files) {
    const name = /^(pack-[0-9a-f]+)\.idx$/.exec(file)?.[1];
    if (name === undefined || !files.has(`${name}.pack`)) continue;
    const bytes = await stat(join(directory, `${name}.pack`)).then(
      ({ size }) => size,
      () => undefined,
    );
    const objects = await countObjects(join(directory, file)).catch(() => undefined);
    // It was removed meanwhile.
    if (bytes === undefined || objects === undefined) continue;
    packs.push({
      name,
      objects,
      bytes,
      kept: KEPT.some((ending) => files.has(name + ending)),
      cruft: files.has(`${name}.mtimes`),
    });
  }
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
export function choosePacks<Each extends Pick<Pack, "objects">>(packs: readonly Each[]): Each[] {
  const bySize = [...packs].sort((a, b) => a.objects - b.objects);
  let total = 0;
  let count = 0;
  for (const [index, { objects }] of bySize.entries()) {
    if (objects < 2 * total) count = index + 1;
    total += objects;
  }
  return bySize.slice(0, count);
}

/**
 * A list of packs that are coming or going. After a crash some of them may have files without an index, which git does
 * not see. Nobody else's files may be removed for that reason.
 */
const UNSETTLED = join("objects", "info", "lockstep-packs");

/**
 * Notes durably that these packs are about to come or to go. `removeHalves` ends that: it removes those of their files
 * that have no index then.
 */
export async function noteUnsettled(gitDir: string, names: readonly string[]): Promise<void> {
  await makeDirectoryBelow(gitDir, dirname(UNSETTLED));
  await replaceFile(join(gitDir, UNSETTLED), `${names.join("\n")}\n`);
}

/**
 * Removes packs. The caller has made all their objects that must stay durable elsewhere. A process that has such a pack
 * open goes on with it. Others look for another copy of an object when its pack has gone.
 */
export async function removePacks(gitDir: string, names: readonly string[]): Promise<void> {
  if (names.length === 0) return;
  await hidePacks(gitDir, names);
  await removeHalves(gitDir);
}

/** Does the first part of `removePacks`, which is quick: no git sees these packs any more. `removeHalves` follows. */
export async function hidePacks(gitDir: string, names: readonly string[]): Promise<void> {
  await noteUnsettled(gitDir, names);
  for (const name of names) await rm(join(gitDir, "objects", "pack", `${name}.idx`), { force: true });
}

/** Removes files of packs that were noted by `noteUnsettled` and have no index. Nobody may move packs meanwhile. */
export async function removeHalves(gitDir: string): Promise<void> {
  const noted = await readFile(join(gitDir, UNSETTLED), "latin1").catch(() => "");
  if (noted === "") return;
  const directory = join(gitDir, "objects", "pack");
  const files = await namesIn(directory);
  const whole = new Set(files.filter((file) => file.endsWith(".idx")).map((file) => file.slice(0, -".idx".length)));
  const halves = new Set(noted.split("\n").filter((name) => /^pack-[0-9a-f]+$/.test(name) && !whole.has(name)));
  for (const file of files)
    if (halves.has(file.replace(/\.\w+$/, ""))) await rm(join(directory, file), { force: true });
  await sync(directory);
  await rm(join(gitDir, UNSETTLED), { force: true });
}
