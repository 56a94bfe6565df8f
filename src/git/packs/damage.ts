// Objects that the disk has damaged. git trusts an object that it finds by name, so only a full read finds damage.
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createInflate } from "node:zlib";
import { namesIn, sync, unlessLacking } from "../../io/disk.ts";
import type { Settings } from "../command/command.ts";
import { findBeside, setFilesAside } from "../objects/beside-objects.ts";
import { isConnected } from "../objects/connectivity.ts";
import { finished, type GitContext, gitBytes, spawnGit } from "../process.ts";
import { damagedTables } from "./damaged-tables.ts";
import { MULTI_PACK_INDEX } from "./multi-pack-index.ts";

/** The damage that `findDamage` found in a replica. */
export interface Damage {
  /** Names of packs, such as `pack-1234`. */
  readonly packs: readonly string[];
  /** Ids of loose objects. */
  readonly objects: readonly string[];
  /** True when an object that `tips` need is missing here, or damaged. */
  readonly incomplete: boolean;
  /** Files that change the objects or the history that git sees (beside-objects.ts). */
  readonly beside: readonly string[];
  /** Files that gc makes from the objects, by their paths below `objects/`: indexes, bitmaps, the graph of commits. */
  readonly tables: readonly string[];
}

/** Returns the place below the root's own directory for damaged or foreign files of a repository's replica. */
export function damagedPath(stateDir: string, repositoryId: string): string {
  return join(stateDir, "damaged", repositoryId);
}

const PACK_FILES = [".idx", ".rev", ".bitmap", ".pack"];

export interface FindOptions {
  readonly signal: AbortSignal;
  /** True: at a low priority, on one processor. */
  readonly gently?: boolean;
}

/** Reads every object of a replica, and walks from `tips`. The cost grows with the size of the replica. */
export async function findDamage(
  context: GitContext,
  gitDir: string,
  tips: readonly string[],
  { signal, gently = false }: FindOptions,
): Promise<Damage> {
  const packs: string[] = [];
  for (const file of await namesIn(join(gitDir, "objects", "pack"))) {
    if (!/^pack-[0-9a-f]+\.idx$/.test(file)) continue;
    const name = file.slice(0, -".idx".length);
    if (!(await isSound(context, gitDir, name, { signal, gently }))) packs.push(name);
  }
  const objects: string[] = [];
  for (const directory of await namesIn(join(gitDir, "objects"))) {
    if (!/^[0-9a-f]{2}$/.test(directory)) continue;
    for (const file of await namesIn(join(gitDir, "objects", directory))) {
      const id = directory + file;
      if (/^[0-9a-f]{38}([0-9a-f]{24})?$/.test(file) && !(await isIntact(loosePath(gitDir, id), id))) objects.push(id);
      signal.throwIfAborted();
    }
  }
  const incomplete = !(await isConnected(context, gitDir, tips, [], { signal, background: gently }));
  return { packs, objects, incomplete, beside: await findBeside(gitDir), tables: await damagedTables(gitDir) };
}

/**
 * Moves damaged packs and objects out of the replica to `to`. The caller has fetched the objects that the refs need.
 * Readable objects of the damaged packs come back as loose objects. Never deletes an object. Packs that are sound by
 * now stay.
 */
export async function setDamageAside(
  context: GitContext,
  gitDir: string,
  damage: Damage,
  to: string,
  signal: AbortSignal,
): Promise<void> {
  await mkdir(to, { recursive: true });
  const packs = join(gitDir, "objects", "pack");
  for (const name of damage.packs) {
    if (await isSound(context, gitDir, name, { signal })) continue;
    // The index goes first: without its index git does not see a pack.
    for (const ending of PACK_FILES) await moveIfThere(join(packs, name + ending), join(to, name + ending));
  }
  for (const id of damage.objects) await moveIfThere(loosePath(gitDir, id), join(to, id));
  await setFilesAside(gitDir, damage.beside, to);
  for (const name of damage.packs) await rescue(context, gitDir, join(to, `${name}.pack`), signal);
  // gc makes these anew. A multi-pack-index would also name packs that are gone.
  const gone = damage.packs.length > 0 ? [`pack/${MULTI_PACK_INDEX}`] : [];
  for (const table of [...damage.tables, ...gone]) await rm(join(gitDir, "objects", table), { force: true });
  await sync(packs);
}

/** Unpacks the readable objects of a damaged pack as loose objects, unless they are here already. */
async function rescue(context: GitContext, gitDir: string, pack: string, signal: AbortSignal): Promise<void> {
  const child = spawnGit(context, gitDir, ["unpack-objects", "-r", "-q"], { signal, writes: true });
  child.stdout.resume();
  const end = finished(child);
  end.catch(() => {});
  // git ends early when it can read no further. It reports every unreadable object.
  await pipeline(createReadStream(pack), child.stdin).catch(() => {});
  await end;
  signal.throwIfAborted();
}

/** Returns false for a damaged pack. A pack that is gone was rolled up meanwhile and counts as sound. */
async function isSound(
  context: GitContext,
  gitDir: string,
  name: string,
  { signal, gently = false }: FindOptions,
): Promise<boolean> {
  const path = join(gitDir, "objects", "pack", `${name}.idx`);
  const settings: Settings = gently ? { "pack.threads": "1" } : {};
  const options = { settings, signal, expected: [0, 1, 128], judges: true, background: gently };
  const { exitCode } = await gitBytes(context, gitDir, ["verify-pack", "--", path], options);
  return exitCode === 0 || !(await namesIn(dirname(path))).includes(`${name}.idx`);
}

async function isIntact(path: string, id: string): Promise<boolean> {
  const hash = createHash(id.length === 40 ? "sha1" : "sha256");
  const read = async (content: AsyncIterable<Buffer>) => {
    for await (const chunk of content) hash.update(chunk);
  };
  return await pipeline(createReadStream(path), createInflate(), read).then(
    () => hash.digest("hex") === id,
    (error: NodeJS.ErrnoException) => {
      // A file that the disk cannot read is damaged.
      unlessLacking(error);
      return error.code === "ENOENT";
    },
  );
}

function loosePath(gitDir: string, id: string): string {
  return join(gitDir, "objects", id.slice(0, 2), id.slice(2));
}

async function moveIfThere(from: string, to: string): Promise<void> {
  await rename(from, to).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
  });
}
