// A scratch repository: bare, with the refs of a replica, and the replica's objects as alternate. A caller changes it
// with any git, and readers of the replica see none of it. Its first refs are recorded in a file inside, so the
// difference can be told even after a crash.
import { appendFile, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  compareRefs,
  HEAD,
  isSymbolic,
  isUuid,
  nameFromLatin1,
  type RefName,
  type Refs,
  type RefValue,
  toLatin1,
  valueFromLatin1,
} from "../../domain.ts";
import { unlessAbsent } from "../../io/disk.ts";
import { type GitContext, gitBytes } from "../process.ts";
import { readRefs } from "../refs/refs.ts";
import { setSymbolicRef } from "../refs/symbolic-refs.ts";
import { initBare } from "../replica/init-bare.ts";

/** A directory in the root's own directory. Each scratch is named by the id of its write. */
const SCRATCHES = "scratch";
export const BASE = "lockstep.base";
const OWNER = "lockstep.repository";
/** The limit of branch tips that a pack may leave out, since every replica of the base has them. */
export const TIPS = 256;

/** Returns the path of a write's scratch. */
export function scratchPath(stateDir: string, writeId: string): string {
  return join(stateDir, SCRATCHES, `${writeId}.git`);
}

/**
 * Returns the ids of the writes that have a scratch here, complete or left half made by a crash. Throws if they cannot
 * be listed: gc must not take that for none.
 */
export async function listScratches(stateDir: string): Promise<string[]> {
  const names = (await readdir(join(stateDir, SCRATCHES)).catch(unlessAbsent)) ?? [];
  return [...new Set(names.map((name) => name.replace(/\.git(\.new)?$/, "")))];
}

/** Returns whether a write session has a scratch that uses the objects of this replica. */
export async function hasScratch(stateDir: string, gitDir: string): Promise<boolean> {
  for (const writeId of await listScratches(stateDir)) {
    const path = scratchPath(stateDir, writeId);
    for (const each of [path, halfMade(path)]) {
      const alternates = await readFile(join(each, "objects", "info", "alternates"), "utf8").catch(unlessAbsent);
      if (alternates?.split("\n").includes(join(gitDir, "objects"))) return true;
    }
  }
  return false;
}

/** Removes the half-made form of a scratch. */
export async function removeHalfMade(path: string): Promise<void> {
  await rm(halfMade(path), { recursive: true, force: true });
}

function halfMade(path: string): string {
  return `${path}.new`;
}

/**
 * Returns the repository that a scratch belongs to: its name when the session began, and its id. undefined: the caller
 * has changed the file.
 */
export async function scratchOwner(path: string): Promise<{ name: string; id: string | undefined }> {
  const [name = "", id = ""] = (await readFile(join(path, OWNER), "utf8")).split("\n");
  return { name, id: isUuid(id) ? id : undefined };
}

/** The replica from which a scratch is made. */
export interface ScratchOf {
  readonly id: string;
  readonly name: string;
  readonly gitDir: string;
  readonly objectFormat: "sha1" | "sha256";
}

/**
 * Makes the scratch of a write with the replica's current refs. Nothing may change those refs meanwhile. Costs a walk
 * over the refs.
 */
export async function createScratch(context: GitContext, path: string, replica: ScratchOf): Promise<void> {
  const refs = await readRefs(context, replica.gitDir);
  await replaceScratch(context, path, replica, { base: refs, refs });
}

/**
 * Makes a scratch that began with `base` and now has `refs`; replaces an existing one. It is made aside and then
 * renamed, so a crash leaves all of it or a half-made form that is never used.
 */
export async function replaceScratch(
  context: GitContext,
  path: string,
  replica: ScratchOf,
  { base, refs }: { base: Refs; refs: Refs },
): Promise<void> {
  const aside = halfMade(path);
  const within = { ...context, scratch: true };
  await rm(aside, { recursive: true, force: true });
  await mkdir(aside, { recursive: true });
  await initBare(context, aside, replica.objectFormat);
  // Replacement refs of a pusher must not get into the caller's objects.
  await appendFile(join(aside, "config"), "[core]\n\tuseReplaceRefs = false\n");
  await mkdir(join(aside, "objects", "info"), { recursive: true });
  await pointScratch(aside, replica.gitDir);
  await writeFile(join(aside, OWNER), `${replica.name}\n${replica.id}\n`);
  await writeFile(join(aside, BASE), formatRefs(base));
  const packed = [...refs].filter(([name, value]) => name !== HEAD && !isSymbolic(value));
  packed.sort(([a], [b]) => compareRefs(a, b));
  const file = `# pack-refs with: sorted\n${packed.map(([name, value]) => `${toLatin1(value)} ${toLatin1(name)}\n`).join("")}`;
  await writeFile(join(aside, "packed-refs"), Buffer.from(file, "latin1"));
  for (const [name, value] of refs) if (isSymbolic(value)) await setSymbolicRef(within, aside, name, value);
  const head = refs.get(HEAD);
  if (head && !isSymbolic(head))
    await gitBytes(within, aside, ["update-ref", "--no-deref", "HEAD", head], { writes: true });
  await rm(path, { recursive: true, force: true });
  await rename(aside, path);
}

/** Makes a scratch, complete or not, find the objects of the replica at that path. */
export async function pointScratch(path: string, gitDir: string): Promise<void> {
  await writeFile(join(path, "objects", "info", "alternates"), `${join(gitDir, "objects")}\n`).catch(unlessAbsent);
}

/** Writes refs in the form of the file of first refs. */
export function formatRefs(refs: Refs): Buffer {
  return Buffer.from([...refs].map(([name, value]) => `${toLatin1(value)}\0${toLatin1(name)}\n`).join(""), "latin1");
}

/** Reads the form that `formatRefs` writes. */
export function parseRefs(lines: Buffer): Refs {
  const refs = new Map<RefName, RefValue>();
  for (const line of lines.toString("latin1").split("\n")) {
    const [value, name] = line.split("\0");
    if (value && name) refs.set(nameFromLatin1(name), valueFromLatin1(value));
  }
  return refs;
}

/** Removes a scratch. */
export async function removeScratch(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true });
}
