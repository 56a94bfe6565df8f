// Locks the refs of a write with git, which checks their old values, and finds out which refs git refuses.

import { HEAD, isSymbolic, type RefAuthor, type RefName, type RefUpdate, type RefValue } from "../../domain.ts";
import { hookFolder } from "../../git/ref-hook.ts";
import { clash, TakenNames } from "../../git/refs/ref-paths.ts";
import { FOREIGN_LOCK_MS, sweepLocks } from "../../git/refs/stale-locks.ts";
import { isLocked, type RefCommand, RefTransaction, type Refusal } from "../../git/transactions/ref-transaction.ts";
import type { SyncContext } from "../device/context.ts";
import type { Replica } from "../device/replica.ts";
import { putInDoubt } from "../replica/apply.ts";
import { contradictsLog, examine, halve, reasonOf } from "./examine-refs.ts";
import type { PushReport } from "./push-report.ts";

export type Prepared =
  | {
      outcome: "prepared";
      transaction: RefTransaction;
      updates: RefUpdate[];
      /** Refs that some of the updates make once the transaction is committed. */
      afterwards: Map<RefName, RefValue>;
    }
  /** "behind": git refuses, perhaps only because the refs on this disk are older than the head. */
  | { outcome: "nothing" | "in_doubt" | "behind" };

export interface Preparing {
  readonly updates: readonly RefUpdate[];
  readonly refAuthor: RefAuthor;
  /** True: all of them or none. */
  readonly atomic: boolean;
  /**
   * True: the updates are the sum of a session's steps, or the opposite of a version. A deletion makes room as in a
   * push that is not atomic.
   */
  readonly bySession: boolean;
  /** True: this disk has the refs of the head. */
  readonly onHead: boolean;
}

/** Refs that git has been asked to lock before their old values are known. */
export interface LockedEarly {
  readonly transaction: RefTransaction;
  readonly updates: readonly RefUpdate[];
  /** Refs that some of the updates make once the transaction is committed. */
  readonly afterwards: Map<RefName, RefValue>;
  readonly refusal: Promise<Refusal | undefined>;
}

/** Prepares all updates that change something, before it is known whether their old values are still true. */
export function prepareEarly(transaction: RefTransaction, all: readonly RefUpdate[]): LockedEarly | undefined {
  const updates = all.filter(({ oldValue, newValue }) => oldValue !== newValue);
  if (updates.length === 0 || clash(namesOf(updates))) return undefined;
  const { commands, afterwards } = inOrder(updates);
  const refusal = transaction.prepare(commands);
  refusal.catch(() => {});
  return { transaction, updates, afterwards, refusal };
}

/**
 * Prepares the updates whose old values are still those in `held`, and that git takes. Refused refs go into `report`
 * with the reason. "in_doubt": the disk differs from the log, and will be compared.
 */
export async function prepareFresh(
  context: SyncContext,
  replica: Replica,
  { updates: all, refAuthor, atomic, bySession, onHead }: Preparing,
  held: ReadonlyMap<RefName, RefValue | null>,
  report: PushReport,
  early: LockedEarly | undefined,
): Promise<Prepared> {
  const refuse = (from: readonly RefUpdate[], reasons: ReadonlyMap<RefName, string>) => {
    report.refuse(reasons);
    const remaining = from.filter(({ name }) => !reasons.has(name));
    return atomic ? report.allOrNone(remaining) : remaining;
  };
  const stale = all.filter(({ name, oldValue }) => held.get(name) !== oldValue);
  let updates = refuse(all, new Map(stale.map(({ name }) => [name, "fetch first"])));
  updates = updates.filter(({ oldValue, newValue }) => oldValue !== newValue);
  let ready = early;
  if (early !== undefined && updates.length < early.updates.length) {
    // This transaction has locks on refs that the push no longer updates.
    await early.refusal;
    await early.transaction[Symbol.asyncDispose]();
    ready = undefined;
  }
  // Each remedy runs once, so that the number of gits does not grow with the number of bad refs.
  const remedies = [
    () => examine(context, replica, updates, atomic && !bySession),
    () => halve(context, replica, inOrder(updates).commands, refAuthor),
    (refusal: Refusal) => Promise.resolve(new Map(namesOf(updates).map((name) => [name, reasonOf(refusal)]))),
  ] as const;
  let tried = 0;
  if (clash(namesOf(updates)) || looksAlone(updates)) {
    updates = refuse(updates, await remedies[0]());
    tried = 1;
  }
  for (; updates.length > 0; ready = undefined) {
    const { commands, afterwards } = inOrder(updates);
    const unasked = unaskedByHook(replica, afterwards, refAuthor);
    if (unasked.size > 0) {
      updates = refuse(updates, unasked);
      await ready?.transaction[Symbol.asyncDispose]();
      continue;
    }
    const transaction =
      ready?.transaction ??
      new RefTransaction(context.git, replica.gitDir, { count: updates.length, author: refAuthor });
    const refusal = await (ready?.refusal ?? transaction.prepare(commands));
    if (refusal === undefined) return { outcome: "prepared", transaction, updates, afterwards };
    // A killed git left a lock that is so old. Without this an operator would have to remove it.
    if (isLocked(refusal) && (await sweepLocks(replica.gitDir, FOREIGN_LOCK_MS)).length > 0) continue;
    if (!onHead && (contradictsLog(refusal) || tried > 0)) return { outcome: "behind" };
    if (contradictsLog(refusal)) {
      context.log.error({ repository: replica.name, err: refusal.message }, "a ref on disk is not what the log says");
      await putInDoubt(replica);
      return { outcome: "in_doubt" };
    }
    if (locksAll(refusal)) tried = 2;
    const reasons = await remedies[Math.min(tried, 2) as 0 | 1 | 2](refusal);
    tried += 1;
    updates = refuse(updates, reasons);
  }
  return { outcome: "nothing" };
}

function namesOf(updates: readonly RefUpdate[]): RefName[] {
  return updates.map(({ name }) => name);
}

/**
 * Returns true when some refs are made only after the commit. git prepares nothing of those, so it cannot refuse them
 * in time.
 */
function looksAlone(updates: readonly RefUpdate[]): boolean {
  return [...inOrder(updates).afterwards].some(([name, value]) => name !== HEAD || !isSymbolic(value));
}

/**
 * Returns the commands of one transaction, and the refs to make after it.
 * - Refs for which a deletion makes room: git never takes both in one transaction.
 * - Symbolic refs: before git 2.46, update-ref cannot set them.
 * - HEAD: git locks it together with the branch to which it leads.
 */
function inOrder(updates: readonly RefUpdate[]): { commands: RefCommand[]; afterwards: Map<RefName, RefValue> } {
  const deleted = new TakenNames(namesOf(updates.filter(({ newValue }) => newValue === null)));
  const commands: RefCommand[] = [];
  const afterwards = new Map<RefName, RefValue>();
  for (const { name, oldValue, newValue } of updates) {
    if (newValue !== null && (name === HEAD || isSymbolic(newValue) || !deleted.leaveRoomFor(name)))
      afterwards.set(name, newValue);
    // git compares ids only. Only this process changes a symbolic ref, and the bump compares its old value.
    else commands.push(isSymbolic(oldValue) ? { name, newValue } : { name, oldValue, newValue });
  }
  return { commands, afterwards };
}

/**
 * Refuses refs that the reference-transaction hook could not refuse. A ref for which a deletion makes room is made
 * after the write has landed, when it is too late for the hook.
 */
function unaskedByHook(
  { gitDir }: Replica,
  afterwards: ReadonlyMap<RefName, RefValue>,
  author: RefAuthor,
): Map<RefName, string> {
  const names = [...afterwards].filter(([name, value]) => name !== HEAD && !isSymbolic(value)).map(([name]) => name);
  if (names.length === 0 || hookFolder(gitDir, author) === undefined) return new Map();
  const reason = "the reference-transaction hook cannot be asked, push it again after the deletion";
  return new Map(names.map((name) => [name, reason]));
}

/**
 * Returns true for a lock that every deletion needs, or with reftable every update. git has waited long enough for it.
 */
function locksAll(refusal: Refusal): boolean {
  return isLocked(refusal) && /\.git\/packed-refs\.lock'|^cannot lock references/.test(refusal.message);
}
