// Compares the refs on disk with the fold of the log and, if asked to, reads all objects. It repairs all differences.

import { digestOf } from "../../digest.ts";
import {
  compareRefs,
  displayRef,
  objectIds,
  type RefName,
  type Refs,
  type RefValue,
  type Version,
} from "../../domain.ts";
import { describe, LockstepError } from "../../errors.ts";
import { type Damage, findDamage } from "../../git/packs/damage.ts";
import { ensureAliasHook } from "../../git/refs/alias-hook.ts";
import { readRefs } from "../../git/refs/refs.ts";
import { isWhole } from "../../git/replica/disk-mark.ts";
import type { Foreign } from "../../git/replica/foreign-files.ts";
import { inspect } from "../../git/replica/repository.ts";
import { assertRights } from "../../git/replica/rights.ts";
import { readFold } from "../../store/log/fold.ts";
import { recordScrub, type ScrubResult } from "../../store/replica/scrubs.ts";
import type { SyncContext } from "../device/context.ts";
import type { Replica } from "../device/replica.ts";
import { beforeRead, locate } from "../read/before-read.ts";
import { clearRefs } from "../replica/clear-refs.ts";
import { endBorrowing, repairObjects, repairRefs } from "./repair-replica.ts";

export interface Verification {
  readonly version: Version;
  readonly refs: number;
  readonly differences: { name: RefName; onDisk: RefValue | null; inLog: RefValue | null }[];
  /**
   * The damage that was found.
   * - Damaged packs and objects, by name.
   * - "incomplete" when refs need objects that are not here.
   * - Files such as "shallow", with which git sees another history than the objects have.
   * - Files among the refs that are not refs.
   */
  readonly damage: string[];
  /** Why the damage could not be repaired. null: it was repaired, or there was none. */
  readonly failure: string | null;
}

export interface VerifyOptions {
  /** Also read every object. */
  readonly full: boolean;
  /** True: at a low priority, on one processor. */
  readonly gently?: boolean;
  readonly signal: AbortSignal;
}

/**
 * Catches up, compares while no ref changes, and repairs differences. Refs that the disk held instead are kept below
 * refs/lockstep/lost/<version>/. Throws what `beforeRead` throws, NOT_A_REPOSITORY, and INTERNAL when the stored refs
 * themselves do not have the digest of their version.
 */
export async function verify(context: SyncContext, name: string, options: VerifyOptions): Promise<Verification> {
  if (!options.full) return await verifyParts(context, name, [], options);
  const borrowing = await endBorrowing(context, (await locate(context, name)).replica);
  try {
    const found = await verifyParts(context, name, borrowing.parts, options);
    if (found.failure !== null) await borrowing.putBack();
    return found;
  } catch (error) {
    await borrowing.putBack();
    throw error;
  }
}

async function verifyParts(
  context: SyncContext,
  name: string,
  moved: readonly string[],
  { full, gently = false, signal }: VerifyOptions,
): Promise<Verification> {
  const { replica, version, fold, onDisk, foreign } = await compare(context, name, signal);
  const differences = differencesOf(onDisk, fold);
  let damage: Damage = { packs: [], objects: [], incomplete: false, beside: [], tables: [] };
  let failure: string | null = null;
  try {
    await ensureAliasHook(replica.gitDir, fold);
    if (differences.length > 0) await repairRefs(context, replica, { version, onDisk, fold }, signal);
    if (full) damage = await findDamage(context.git, replica.gitDir, objectIds(fold.values()), { signal, gently });
    if (names(damage).length > 0) await repairObjects(context, replica, damage, { version, fold }, signal);
  } catch (error) {
    signal.throwIfAborted();
    failure = describe(error);
  }
  const strange = foreign.map(({ name: file, why }) => `${displayRef(file)} (${why})`);
  const found = { refs: differences.length, damage: [...moved, ...names(damage), ...strange] };
  if (found.refs > 0 || found.damage.length > 0)
    context.log.warn({ repository: name, ...found, err: failure }, "a replica was not as the log says");
  // Counts as an arrival, so an idle replica is checked for gc after each scrub.
  if (full) context.replicas.noteArrival(replica);
  if (full) await noteScrub(context, replica, { differences: differences.length, damage: found.damage, failure });
  return { version, refs: fold.size, differences, damage: found.damage, failure };
}

/** Records what was found. A failure to record it changes nothing of that: the next scrub comes sooner. */
async function noteScrub(context: SyncContext, replica: Replica, result: ScrubResult): Promise<void> {
  await recordScrub(context.db, context.me, replica.id, result).catch((error: unknown) =>
    context.log.warn({ repository: replica.name, err: describe(error) }, "could not record a scrub"),
  );
}

interface Compared {
  readonly foreign: readonly Foreign[];
  readonly replica: Replica;
  readonly version: Version;
  readonly fold: Refs;
  readonly onDisk: Refs;
}

async function compare(context: SyncContext, name: string, signal: AbortSignal): Promise<Compared> {
  for (;;) {
    const { replica } = await beforeRead(context, name, { signal, asTheyAre: true });
    const found = await replica.mutex.runAsItIs(async () => {
      const fold = await readFold(context.db, replica.id);
      if (fold.head !== replica.applied) return undefined;
      if (!digestOf(fold.digestKey, fold.refs).equals(fold.digest)) {
        throw new LockstepError(
          "INTERNAL",
          `The stored refs of ${name} do not have the digest of version ${fold.head}; restore the database.`,
        );
      }
      const looked = { replica, version: fold.head, fold: fold.refs };
      if (!(await isAt(context, replica))) return { ...looked, onDisk: new Map(), foreign: [] };
      const foreign = await clearRefs(context, replica);
      return { ...looked, onDisk: await readRefs(context.git, replica.gitDir, signal), foreign };
    });
    // Another device landed a write between the two looks. Catch up and compare again.
    if (found) return found;
    signal.throwIfAborted();
  }
}

/**
 * Returns whether the whole replica is at its place. false: nothing is there, only parts of it, or another directory.
 */
async function isAt(context: SyncContext, replica: Replica): Promise<boolean> {
  await assertRights(replica.gitDir);
  if (!(await isWhole(replica.gitDir))) return false;
  try {
    return (await inspect(context.git, replica.gitDir, replica.id)) === "replica";
  } catch (error) {
    if (error instanceof LockstepError && error.code === "NOT_A_REPOSITORY") return false;
    throw error;
  }
}

function differencesOf(onDisk: Refs, fold: Refs): Verification["differences"] {
  return [...new Set([...onDisk.keys(), ...fold.keys()])]
    .map((ref) => ({ name: ref, onDisk: onDisk.get(ref) ?? null, inLog: fold.get(ref) ?? null }))
    .filter((each) => each.onDisk !== each.inLog)
    .sort((a, b) => compareRefs(a.name, b.name));
}

function names({ packs, objects, incomplete, beside, tables }: Damage): string[] {
  return [...packs, ...objects, ...(incomplete ? ["incomplete"] : []), ...beside, ...tables];
}
