// The refs of a write, locked by git with their old values checked, and what git says where it will not.
import type { RefName, RefUpdate } from "../domain.ts";
import { FOREIGN_LOCK_MS, sweepLocks } from "../git/leftovers.ts";
import { isLocked, RefTransaction, type Refusal } from "../git/ref-transaction.ts";
import { isSymbolic } from "../git/refs.ts";
import { doubt } from "./apply.ts";
import type { SyncContext } from "./context.ts";
import { allOrNone } from "./push-policy.ts";
import type { PushRequest } from "./push-request.ts";
import type { Replica } from "./replica.ts";

export type Prepared =
  | { outcome: "prepared"; transaction: RefTransaction; updates: RefUpdate[] }
  | { outcome: "nothing" | "in_doubt" };

/** Refs that git locks, or has refused to. */
export interface Early {
  readonly transaction: RefTransaction;
  readonly updates: readonly RefUpdate[];
  readonly refusal: Promise<Refusal | undefined>;
}

/** Prepares all updates that change something, before it is known whether their old values are still true. */
export function prepareEarly(transaction: RefTransaction, all: readonly RefUpdate[]): Early {
  const updates = all.filter(({ oldValue, newValue }) => oldValue !== newValue);
  const refusal = updates.length > 0 ? prepare(transaction, updates) : Promise.resolve(undefined);
  refusal.catch(() => {});
  return { transaction, updates, refusal };
}

/** Symbolic refs are no matter of a transaction before git 2.46; nobody but this process changes them. */
async function prepare(transaction: RefTransaction, updates: readonly RefUpdate[]): Promise<Refusal | undefined> {
  return await transaction.prepare(updates.filter(({ newValue }) => !isSymbolic(newValue)));
}

/**
 * Prepares those updates whose old values are still true, those in `held`; a refusal by git takes out the ref it names, and the others are tried
 * again. What is refused goes into `report`. "in_doubt": the disk is not what the log says, and will be compared.
 */
export async function prepareFresh(
  context: SyncContext,
  replica: Replica,
  request: Pick<PushRequest, "updates" | "atomic">,
  held: ReadonlyMap<RefName, string | null>,
  report: Map<RefName, string | null>,
  early: Early,
): Promise<Prepared> {
  let updates: RefUpdate[] = [];
  for (const update of request.updates) {
    if (held.get(update.name) !== update.oldValue) report.set(update.name, "fetch first");
    else if (update.oldValue !== update.newValue) updates.push(update);
  }
  const refused = () => [...report.values()].some((reason) => reason !== null);
  if (request.atomic && refused()) updates = allOrNone(updates, report);
  let ready: Early | undefined = early;
  if (updates.length < early.updates.length) {
    // It has locks that this push is not to have.
    await early.refusal;
    await early.transaction[Symbol.asyncDispose]();
    ready = undefined;
  }
  for (; updates.length > 0; ready = undefined) {
    const transaction = ready?.transaction ?? new RefTransaction(context.git, replica.gitDir, updates.length);
    const refusal = await (ready?.refusal ?? prepare(transaction, updates));
    if (refusal === undefined) return { outcome: "prepared", transaction, updates };
    // A lock that nobody has held for so long is what some killed git left; waiting for it would be waiting for an operator.
    if (isLocked(refusal) && (await sweepLocks(replica.gitDir, FOREIGN_LOCK_MS)).length > 0) continue;
    if (contradictsLog(refusal)) {
      context.log.error({ repository: replica.name, err: refusal.message }, "a ref on disk is not what the log says");
      await doubt(replica);
      return { outcome: "in_doubt" };
    }
    for (const { name } of updates)
      if (refusal.name === undefined || name === refusal.name) report.set(name, reasonOf(refusal));
    const remaining = updates.filter(({ name }) => report.get(name) === null);
    // A refusal that names none of them would be repeated for ever.
    if (remaining.length === updates.length) for (const { name } of updates) report.set(name, reasonOf(refusal));
    updates = remaining.length === updates.length ? [] : request.atomic ? allOrNone(remaining, report) : remaining;
  }
  return { outcome: "nothing" };
}

/** git found another value on disk than the log says, or cannot read what it finds: the disk must be compared. */
function contradictsLog({ message }: Refusal): boolean {
  return (
    /is at .* but expected|reference already exists|reference is missing|unable to resolve reference/.test(message) ||
    /^reftable: .*(corrupt reftable file|file does not exist)/.test(message)
  );
}

function reasonOf(refusal: Refusal): string {
  const { message } = refusal;
  if (isLocked(refusal)) return "locked by another git process on the server, try again";
  if (/exists; cannot create/.test(message)) return "conflicts with an existing ref";
  if (/non-commit object/.test(message)) return "not a commit";
  if (/nonexistent object/.test(message)) return "missing object";
  if (/invalid ref format/.test(message)) return "funny refname";
  return message.split("\n")[0]?.slice(0, 200) || "failed to update ref";
}
