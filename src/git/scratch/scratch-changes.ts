// What a caller has changed in a scratch repository, and the objects of it.
import { lstat, readFile } from "node:fs/promises";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { compareRefs, HEAD, isBelow, objectIds, type RefUpdate } from "../../domain.ts";
import { LockstepError } from "../../errors.ts";
import { unlessAbsent } from "../../io/disk.ts";
import { isConnected } from "../objects/connectivity.ts";
import { receivePack } from "../objects/receive-pack.ts";
import { startPack } from "../objects/send-pack.ts";
import type { GitContext } from "../process.ts";
import { readRefs } from "../refs/refs.ts";
import { BASE, parseRefs, pointScratch, TIPS } from "./scratch.ts";

/** The changes that a caller made in a scratch. */
export interface ScratchChanges {
  readonly updates: RefUpdate[];
  /** Some objects that the replica had when the scratch was made. */
  readonly tips: readonly string[];
}

/** Returns the caller's changes, sorted by name. Costs a walk over the refs of the scratch. */
export async function readScratch(context: GitContext, path: string, signal: AbortSignal): Promise<ScratchChanges> {
  const base = parseRefs(await readFile(join(path, BASE)));
  const now = await readRefs({ ...context, scratch: true }, path, signal);
  const updates: RefUpdate[] = [];
  for (const name of [...new Set([...base.keys(), ...now.keys()])].sort(compareRefs)) {
    const oldValue = base.get(name) ?? null;
    // An unreadable HEAD counts as unchanged.
    const newValue = now.get(name) ?? (name === HEAD ? oldValue : null);
    if (oldValue !== newValue) updates.push({ name, oldValue, newValue });
  }
  const tips = objectIds([...base].filter(([name]) => isBelow(name, "refs/heads/")).map(([, value]) => value));
  return { updates, tips: tips.slice(0, TIPS) };
}

/**
 * Returns the caller's changes, or undefined when there is no scratch. Throws what `readScratch` throws: a scratch that
 * cannot be read for the moment still has the caller's work.
 */
export async function findScratch(
  context: GitContext,
  path: string,
  signal: AbortSignal,
): Promise<ScratchChanges | undefined> {
  const base = await lstat(join(path, BASE)).catch(unlessAbsent);
  return base && (await readScratch(context, path, signal));
}

/**
 * Copies the objects that changed refs need from the scratch into the replica, which must have the objects of the old
 * values. Throws GIT_FAILED, and SOURCE_FAILED when the scratch lacks objects: then the replica is as before.
 */
export async function takeObjects(
  context: GitContext,
  path: string,
  gitDir: string,
  { updates, tips }: ScratchChanges,
  signal: AbortSignal,
): Promise<void> {
  const wants = objectIds(updates.map(({ newValue }) => newValue));
  if (wants.length === 0) return;
  const haves = [...new Set([...objectIds(updates.map(({ oldValue }) => oldValue)), ...tips])];
  // The caller may have named other alternates, and with them objects of other repositories.
  await pointScratch(path, gitDir);
  const within = { ...context, scratch: true };
  // Reads the pack from its first byte on: unread output is lost when the process ends.
  const pack = startPack(within, path, wants, haves, signal).then((stream) => stream.pack.pipe(new PassThrough()));
  await receivePack(context, gitDir, { wants, haves, signal, pack }).catch(async (error: unknown) => {
    throw (await isShallow(path)) ? notWholeError(error) : error;
  });
}

/** Returns true for a shallow repository: `git fetch --depth` records in this file where the history ends. */
async function isShallow(path: string): Promise<boolean> {
  return await readFile(join(path, "shallow"), "utf8").then(
    (noted) => noted !== "",
    () => false,
  );
}

function notWholeError(cause: unknown): LockstepError {
  return new LockstepError(
    "SOURCE_FAILED",
    "The scratch repository is shallow and lacks objects that the new refs need. Begin again, and fetch without --depth or with --unshallow.",
    { cause },
  );
}

/** Returns the updates whose new values are whole in the scratch. */
export async function wholeUpdates(
  context: GitContext,
  path: string,
  { updates, tips }: ScratchChanges,
  signal: AbortSignal,
): Promise<RefUpdate[]> {
  const within = { ...context, scratch: true };
  const all = objectIds(updates.map(({ newValue }) => newValue));
  if (await isConnected(within, path, all, tips, { signal })) return [...updates];
  const whole: RefUpdate[] = [];
  for (const update of updates) {
    const haves = [...objectIds([update.oldValue]), ...tips];
    if (await isConnected(within, path, objectIds([update.newValue]), haves, { signal })) whole.push(update);
  }
  return whole;
}
