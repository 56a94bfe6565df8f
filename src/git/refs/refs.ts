// The refs on disk: read whole (recovery, verify), read by name, and made equal to a plan.
import { reach } from "../../crash-points.ts";
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
import { objectTypes } from "../objects/connectivity.ts";
import { type GitContext, gitBytes, gitFailed } from "../process.ts";
import { ensureAliasHook } from "./alias-hook.ts";
import { clash } from "./ref-paths.ts";
import { isLocked, RefTransaction } from "./ref-transaction.ts";
import { FOREIGN_LOCK_MS, sweepLocks } from "./stale-locks.ts";
import type { StartedTransaction } from "./started-transaction.ts";
import { readHead, readSymbolicRefs, setSymbolicRef } from "./symbolic-refs.ts";

/** All refs of a repository and HEAD, if git can read it, but for those below refs/lockstep/. Costs a walk over all of them. */
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
  // git follows a chain of symbolic refs to its end, and does not list one that leads nowhere.
  for (const [name, value] of await readSymbolicRefs(gitDir, plain)) refs.set(name, value);
  const head = await readHead(context, gitDir);
  if (head !== null) refs.set(HEAD, head);
  return refs;
}

/** The names of the refs below `prefix`. */
export async function readRefNames(context: GitContext, gitDir: string, prefix: string): Promise<RefName[]> {
  const { stdout } = await gitBytes(context, gitDir, ["for-each-ref", "--format=%(refname)", prefix]);
  return stdout.toString("latin1").split("\n").filter(Boolean).map(nameFromLatin1);
}

/**
 * Makes refs hold what a plan says (null: absent), whatever they hold now; the objects must be there. One transaction, or
 * two where names of the plan are above or below each other: git refuses both in one. Idempotent: after a crash between
 * any two of its steps it is simply run again. `started` spares the first transaction its start. The caller holds the
 * replica's mutex. Throws GIT_FAILED.
 */
export async function applyRefs(
  context: GitContext,
  gitDir: string,
  plan: ReadonlyMap<RefName, RefValue | null>,
  started?: StartedTransaction,
): Promise<void> {
  const updates = [...plan]
    .filter(([name, value]) => name !== HEAD && value !== null && !isSymbolic(value))
    .map(([name, newValue]) => ({ name, newValue }));
  // Without an old value git takes the deletion of a ref that is not there (2.39 and 2.47, files and reftable), unless
  // there is one above or below it.
  const clashes = clash(plan.keys());
  const onDisk = clashes ? await readRefs(context, gitDir) : undefined;
  const deletes = [...plan]
    .filter(([name, value]) => value === null && onDisk?.has(name) !== false)
    .map(([name]) => ({ name, newValue: null }));
  const batches = clashes ? [deletes, updates] : [[...deletes, ...updates]];
  for (const batch of batches) {
    if (batch.length > 0) await write(context, gitDir, batch, started);
    if (batch === deletes) await reach("refs.cleared");
  }
  const head = plan.get(HEAD) ?? null;
  // Not with the branch that it stands for, whose change git takes for one of HEAD too.
  if (head !== null && !isSymbolic(head)) await write(context, gitDir, [{ name: HEAD, newValue: head }], started);
  // update-ref takes symbolic values only since 2.46.
  for (const [name, value] of plan) if (isSymbolic(value)) await setSymbolicRef(context, gitDir, name, value);
  // Refs are worth more than the hook: verify says why it cannot be written.
  await ensureAliasHook(gitDir, plan).catch(() => {});
}

async function write(
  context: GitContext,
  gitDir: string,
  batch: readonly { name: RefName; newValue: RefValue | null }[],
  started: StartedTransaction | undefined,
): Promise<void> {
  for (;;) {
    await using transaction =
      started?.take(gitDir, batch.length) ?? new RefTransaction(context, gitDir, { count: batch.length });
    const refusal = await transaction.prepare(batch);
    if (refusal === undefined) return await transaction.commit();
    // A lock that is old is what some killed git left.
    if (isLocked(refusal) && (await sweepLocks(gitDir, FOREIGN_LOCK_MS)).length > 0) continue;
    throw gitFailed(["update-ref"], 128, refusal.message);
  }
}

/** What must change on disk so that it holds `wanted`: the plan for `applyRefs`. */
export function difference(onDisk: Refs, wanted: Refs): Map<RefName, RefValue | null> {
  const plan = new Map<RefName, RefValue | null>();
  for (const [name, value] of wanted) if (onDisk.get(name) !== value) plan.set(name, value);
  for (const name of onDisk.keys()) if (!wanted.has(name)) plan.set(name, null);
  return plan;
}

/**
 * True when a ref (but none below refs/lockstep/) contains the commit or the annotated tag `id`. That the object is here proves nothing,
 * undecided ones are too. Costs a walk from the refs down to it. Throws INVALID_REQUEST for an object of another type: to find a file
 * or a tree, all of history would have to be searched.
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
  // The refs come first, so that a tag inside the tag of a ref counts as theirs before it is looked at itself.
  const args = ["rev-list", "--not", `--exclude=${PRIVATE_REFS}*`, "--all", "--not", id];
  // Without objects a walk lists commits only, and those of a tag that no ref has may well be on a branch.
  const shown = type === "tag" ? ["--objects", "--no-object-names", "--max-count=0"] : ["--max-count=1"];
  const { exitCode, stdout } = await gitBytes(context, gitDir, [...args, ...shown, "--"], {
    signal,
    // Something that it needs is not here.
    expected: [0, 128],
  });
  return exitCode === 0 && stdout.length === 0;
}
