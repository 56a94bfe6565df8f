// The refs on disk: read in full (recovery, verify), read by name, and changed to match a plan.
import { crashPoint } from "../../crash-points.ts";
import {
  HEAD,
  isSymbolic,
  nameFromLatin1,
  PRIVATE_REFS,
  type RefName,
  type Refs,
  type RefValue,
  symbolicTo,
  valueFromLatin1,
} from "../../domain.ts";
import { LockstepError } from "../../errors.ts";
import type { LocalArguments } from "../command/operations.ts";
import { gitFailedError } from "../git-error.ts";
import { objectTypes } from "../objects/connectivity.ts";
import { type GitContext, gitBytes } from "../process.ts";
import type { KeptGit } from "../transactions/kept-git.ts";
import { isLocked, RefTransaction } from "../transactions/ref-transaction.ts";
import type { StartedTransaction } from "../transactions/started-transaction.ts";
import { ensureAliasHook } from "./alias-hook.ts";
import { clash } from "./ref-paths.ts";
import { FOREIGN_LOCK_MS, sweepLocks } from "./stale-locks.ts";
import { readHead, readSymbolicRefs, setSymbolicRef } from "./symbolic-refs.ts";

/**
 * Returns all refs of a repository except those below refs/lockstep/, and HEAD if git can read it. Costs a walk over
 * all refs.
 */
export async function readRefs(context: GitContext, gitDir: string, signal?: AbortSignal): Promise<Refs> {
  const format = "--format=%(refname)%00%(objectname)%00%(symref)";
  const { stdout } = await gitBytes(context, gitDir, ["for-each-ref", format], signal ? { signal } : {});
  const refs = new Map<RefName, RefValue>();
  const plain = new Set<RefName>();
  for (const line of stdout.toString("latin1").split("\n")) {
    const [name, objectId, symref] = line.split("\0");
    if (!name || objectId === undefined || name.startsWith(PRIVATE_REFS)) continue;
    refs.set(nameFromLatin1(name), symref ? symbolicTo(nameFromLatin1(symref)) : valueFromLatin1(objectId));
    if (!symref) plain.add(nameFromLatin1(name));
  }
  // git follows a chain of symbolic refs to its end, and omits a chain that leads nowhere.
  for (const [name, value] of await readSymbolicRefs(gitDir, plain)) refs.set(name, value);
  const head = await readHead(context, gitDir);
  if (head !== null) refs.set(HEAD, head);
  return refs;
}

/** Returns the names of the refs below `prefix`. */
export async function readRefNames(context: GitContext, gitDir: string, prefix: string): Promise<RefName[]> {
  const { stdout } = await gitBytes(context, gitDir, ["for-each-ref", "--format=%(refname)", prefix]);
  return stdout.toString("latin1").split("\n").filter(Boolean).map(nameFromLatin1);
}

/** Gits that save a transaction its process start. */
export interface ApplyGits {
  readonly started?: StartedTransaction | undefined;
  readonly kept?: KeptGit | undefined;
}

/**
 * Sets refs to the values of a plan (null: absent), regardless of their old values. The objects must be there. It takes
 * one transaction, or two where one name of the plan is above another, since git refuses both in one. Idempotent: after
 * a crash between two steps, run it again. The caller holds the replica's mutex. Throws GIT_FAILED.
 */
export async function applyRefs(
  context: GitContext,
  gitDir: string,
  plan: ReadonlyMap<RefName, RefValue | null>,
  gits: ApplyGits = {},
): Promise<void> {
  const updates = [...plan]
    .filter(([name, value]) => name !== HEAD && value !== null && !isSymbolic(value))
    .map(([name, newValue]) => ({ name, newValue }));
  // Without an old value git accepts the deletion of a missing ref, unless another ref lies above or below it. This
  // holds for 2.39 and 2.47, files and reftable.
  const clashes = clash(plan.keys());
  const onDisk = clashes ? await readRefs(context, gitDir) : undefined;
  const deletes = [...plan]
    .filter(([name, value]) => value === null && onDisk?.has(name) !== false)
    .map(([name]) => ({ name, newValue: null }));
  const batches = clashes ? [deletes, updates] : [[...deletes, ...updates]];
  for (const batch of batches) {
    if (batch.length > 0) await write(context, gitDir, batch, gits);
    if (batch === deletes) await crashPoint("refs.cleared");
  }
  const head = plan.get(HEAD) ?? null;
  // HEAD needs its own transaction: git treats a change of its branch as a change of HEAD too.
  if (head !== null && !isSymbolic(head)) await write(context, gitDir, [{ name: HEAD, newValue: head }], gits);
  // Before 2.46, update-ref cannot set symbolic values.
  for (const [name, value] of plan) if (isSymbolic(value)) await setSymbolicRef(context, gitDir, name, value);
  // A hook that cannot be written does not fail the refs; `lockstep verify` reports why.
  await ensureAliasHook(gitDir, plan).catch(() => {});
}

async function write(
  context: GitContext,
  gitDir: string,
  batch: readonly { name: RefName; newValue: RefValue | null }[],
  { started, kept }: ApplyGits,
): Promise<void> {
  for (;;) {
    await using transaction =
      started?.take(gitDir, batch.length) ?? new RefTransaction(context, gitDir, { count: batch.length, kept });
    const refusal = await transaction.prepare(batch);
    if (refusal === undefined) return await transaction.commit();
    // An old lock was left by a killed git.
    if (isLocked(refusal) && (await sweepLocks(gitDir, FOREIGN_LOCK_MS)).length > 0) continue;
    throw gitFailedError(["update-ref"], 128, refusal.message);
  }
}

/** Returns the plan for `applyRefs` that makes the disk hold `wanted`. */
export function difference(onDisk: Refs, wanted: Refs): Map<RefName, RefValue | null> {
  const plan = new Map<RefName, RefValue | null>();
  for (const [name, value] of wanted) if (onDisk.get(name) !== value) plan.set(name, value);
  for (const name of onDisk.keys()) if (!wanted.has(name)) plan.set(name, null);
  return plan;
}

/**
 * Returns true when a ref outside refs/lockstep/ contains the commit or annotated tag `id`. The existence of the object
 * proves nothing, since undecided objects exist too. Costs a walk from the refs down to the object. Throws
 * INVALID_REQUEST for a blob or tree, which would need a search of all history.
 */
export async function isReachable(
  context: GitContext,
  gitDir: string,
  id: string,
  signal: AbortSignal,
): Promise<boolean> {
  const type = (await objectTypes(context, gitDir, [id], signal)).get(id);
  if (type === undefined) return false;
  if (type !== "commit" && type !== "tag")
    throw new LockstepError("INVALID_REQUEST", `Object ${id} is a ${type}; ask for a commit or an annotated tag.`);
  // The refs come first: then a tag inside a ref's tag is already marked as reachable before the walk looks at it.
  const args: LocalArguments = ["rev-list", "--not", `--exclude=${PRIVATE_REFS}*`, "--all", "--not", id];
  // Without --objects the walk lists only commits. The commit of a tag may be on a branch although no ref has the tag.
  const shown = type === "tag" ? ["--objects", "--no-object-names", "--max-count=0"] : ["--max-count=1"];
  const { exitCode, stdout } = await gitBytes(context, gitDir, [...args, ...shown, "--"], {
    signal,
    // 128: an object on the way is missing.
    expected: [0, 128],
  });
  return exitCode === 0 && stdout.length === 0;
}
