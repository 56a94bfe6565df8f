// Packs a replica anew, beside reads and pushes: few packs, one index with a bitmap over them, and the graph of
// commits. Everything is made in a view (pack-view.ts). Then `putInPlace` moves it into the replica.
import { readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { crashPoint } from "../../crash-points.ts";
import { exists, makeDirectoryBelow, namesIn, sync } from "../../io/disk.ts";
import type { LocalArguments } from "../command/operations.ts";
import { type GitContext, gitBytes } from "../process.ts";
import { startTheClock } from "./cruft.ts";
import { MULTI_PACK_INDEX } from "./multi-pack-index.ts";
import type { PackView } from "./pack-view.ts";
import { noteUnsettled, type Pack, readPacks, removeHalves, removePacks } from "./packs.ts";

export interface RepackOptions {
  readonly signal: AbortSignal;
  /** The number of threads that search for deltas. */
  readonly threads: number;
  /** The memory of each such thread, in MiB. */
  readonly windowMemory: number;
}

/** What a repack made in its view. */
export interface Repacked {
  /** The names of the new packs. */
  readonly made: readonly string[];
  /** The packs that the new ones replace. */
  readonly replaced: readonly Pack[];
  /** False where git could make no bitmap, as for a repository without commits. */
  readonly bitmap: boolean;
}

/**
 * Makes one pack of all objects that `tips` reach, and one of all others. Leaves out those others that an earlier gc
 * found unreachable before the time `expiry`, unless a younger one needs them. Throws GIT_FAILED when an object is
 * missing.
 */
export async function repackAll(
  context: GitContext,
  gitDir: string,
  view: PackView,
  { tips, expiry, ...options }: RepackOptions & { tips: readonly string[]; expiry: Date },
): Promise<Repacked> {
  const replaced = view.packs.filter(({ kept }) => !kept);
  // Packs with a .keep hold reachable objects too, and stay.
  const reachable = ["--revs", "--reflog", "--indexed-objects", "--honor-pack-keep", "--non-empty"];
  const made = await packObjects(context, gitDir, view, reachable, lines(tips), options);
  // This pack may have the same objects, and so the same name, as a pack of objects that were unreachable.
  for (const name of made) await rm(join(view.path, "pack", `${name}.mtimes`), { force: true });
  await startTheClock(view);
  const kept = view.packs.filter((pack) => pack.kept).map(({ name }) => name);
  const gone = replaced.map(({ name }) => name).filter((name) => !made.includes(name));
  const lists = [...[...made, ...kept].map((name) => `${name}.pack`), ...gone.map((name) => `-${name}.pack`)];
  const cruft = ["--cruft", `--cruft-expiration=@${Math.floor(expiry.getTime() / 1000)} +0000`, "--non-empty"];
  made.push(...(await packObjects(context, gitDir, view, cruft, lines(lists), options)));
  return await indexed(context, gitDir, view, { made, replaced }, tips, options);
}

/**
 * Makes one pack of those in `chosen`, and a new index over all packs. Costs the size of those packs, and a walk for
 * the bitmap. Loose objects stay as they are.
 */
export async function repackSome(
  context: GitContext,
  gitDir: string,
  view: PackView,
  { tips, chosen, ...options }: RepackOptions & { tips: readonly string[]; chosen: readonly Pack[] },
): Promise<Repacked> {
  const packed = chosen.length > 1;
  const input = lines(chosen.map(({ name }) => `${name}.pack`));
  const some = ["--stdin-packs", "--non-empty"];
  const made = packed ? await packObjects(context, gitDir, view, some, input, options) : [];
  return await indexed(context, gitDir, view, { made, replaced: packed ? chosen : [] }, tips, options);
}

async function packObjects(
  context: GitContext,
  gitDir: string,
  view: PackView,
  what: readonly string[],
  input: string,
  { threads, windowMemory, signal }: RepackOptions,
): Promise<string[]> {
  const settings = {
    "pack.threads": String(threads),
    "pack.windowMemory": `${windowMemory}m`,
    "pack.packSizeLimit": "0",
  };
  const args: LocalArguments = ["pack-objects", ...what, "--quiet", "--delta-base-offset", "--"];
  const options = { settings, objects: view.place, signal, writes: true, background: true };
  const base = join(view.path, "pack", "pack");
  const { stdout } = await gitBytes(context, gitDir, [...args, base], { ...options, input });
  const hashes = stdout.toString("latin1").split("\n").filter(Boolean);
  return hashes.map((hash) => `pack-${hash}`);
}

/** Writes the index over the packs that stay, and the graph of commits, into the view. */
async function indexed(
  context: GitContext,
  gitDir: string,
  view: PackView,
  { made, replaced }: { made: readonly string[]; replaced: readonly Pack[] },
  tips: readonly string[],
  { signal }: RepackOptions,
): Promise<Repacked> {
  const options = { objects: view.place, signal, writes: true, background: true };
  const gone = new Set(replaced.map(({ name }) => name).filter((name) => !made.includes(name)));
  const staying = (await readPacks(join(view.path, "pack"))).filter(({ name }) => !gone.has(name));
  if (staying.length === 0) return { made, replaced, bitmap: false };
  // git copies this pack as it is where it may, so it is the largest.
  const [largest] = staying.filter(({ cruft }) => !cruft).sort((a, b) => b.objects - a.objects);
  const snapshot = join(view.path, "tips");
  await writeFile(snapshot, lines(tips));
  const write = async (...how: string[]) => {
    const args: LocalArguments = ["multi-pack-index", "write", "--stdin-packs", "--no-progress", ...how];
    const input = lines(staying.map(({ name }) => `${name}.idx`));
    return (await gitBytes(context, gitDir, args, { ...options, input, expected: [0, 1, 128, 255] })).exitCode === 0;
  };
  const preferring = largest === undefined ? [] : [`--preferred-pack=${largest.name}.pack`];
  const written =
    (await write("--bitmap", `--refs-snapshot=${snapshot}`, ...preferring)) || (await write(...preferring));
  const graph: LocalArguments = ["commit-graph", "write", "--stdin-commits", "--no-progress"];
  await gitBytes(context, gitDir, graph, { ...options, input: lines(tips), expected: [0, 1, 128] });
  const bitmap = written && (await readdir(join(view.path, "pack"))).some(isBitmap);
  return { made, replaced, bitmap };
}

function lines(each: readonly string[]): string {
  return each.map((line) => `${line}\n`).join("");
}

function isBitmap(file: string): boolean {
  return file.startsWith(`${MULTI_PACK_INDEX}-`) && file.endsWith(".bitmap");
}

/**
 * Moves what was made in the view into the replica, and removes the packs and loose objects that it replaces, except
 * the packs in `later`. After a crash between two steps the replica has everything, some of it twice. Nobody else may
 * remove packs meanwhile.
 */
export async function putInPlace(
  gitDir: string,
  view: PackView,
  { made, replaced }: Repacked,
  later: ReadonlySet<string>,
): Promise<void> {
  const from = join(view.path, "pack");
  const to = join(gitDir, "objects", "pack");
  // A link is a pack that is in the replica already.
  const entries = await readdir(from, { withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map(({ name }) => name);
  const names = new Set(made);
  const isIndex = (file: string) => Number(file.endsWith(".idx"));
  const packs = files.filter((file) => names.has(file.replace(/\.\w+$/, "")));
  await noteUnsettled(gitDir, made);
  // Each pack before its index: readers see a pack once its index is there.
  for (const file of packs.sort((a, b) => isIndex(a) - isIndex(b))) await rename(join(from, file), join(to, file));
  // All objects of an older pack of unreachable objects are reachable again. A pack with the same objects is the same.
  for (const name of made) if (!files.includes(`${name}.mtimes`)) await rm(join(to, `${name}.mtimes`), { force: true });
  await removeHalves(gitDir);
  await crashPoint("gc.packed");
  const listed = files.filter((file) => file.startsWith(MULTI_PACK_INDEX)).sort((a, b) => b.length - a.length);
  // The bitmap before its index. Without both, git reads the packs one by one.
  for (const file of listed) await rename(join(from, file), join(to, file));
  if (listed.length === 0) await rm(join(to, MULTI_PACK_INDEX), { force: true });
  await rm(join(to, `${MULTI_PACK_INDEX}.d`), { recursive: true, force: true });
  await sync(to);
  await placeGraph(gitDir, view);
  await crashPoint("gc.indexed");
  const gone = replaced.map(({ name }) => name).filter((name) => !names.has(name) && !later.has(name));
  await removePacks(gitDir, gone);
  for (const file of await namesIn(to))
    if (file.startsWith(`${MULTI_PACK_INDEX}-`) && !listed.includes(file)) await rm(join(to, file), { force: true });
  for (const path of view.loose) await rm(join(gitDir, "objects", path), { force: true });
}

async function placeGraph(gitDir: string, view: PackView): Promise<void> {
  const graph = join(view.path, "info", "commit-graph");
  if (!(await exists(graph))) return;
  const info = join(gitDir, "objects", "info");
  await makeDirectoryBelow(gitDir, "objects/info");
  await rename(graph, join(info, "commit-graph"));
  await sync(info);
}
