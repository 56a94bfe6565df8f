// Finds out why git would refuse refs of a write. git names one ref and gives up. This finds all of them at once, so
// that many bad refs do not cost many gits. If no other check names the bad ref, it halves the list until it finds it.
import { HEAD, isBelow, isSymbolic, objectIds, type RefAuthor, type RefName, type RefUpdate } from "../../domain.ts";
import { objectTypes } from "../../git/objects/connectivity.ts";
import { namesAbove, TakenNames } from "../../git/refs/ref-paths.ts";
import { isLocked, type RefCommand, RefTransaction, type Refusal } from "../../git/transactions/ref-transaction.ts";
import { refsInTheWay } from "../../store/write/refs-in-the-way.ts";
import type { SyncContext } from "../device/context.ts";
import type { Replica } from "../device/replica.ts";

/**
 * Returns the updates that git's receive-pack would refuse, each with the reason. receive-pack takes deletions first
 * and then the others in their order, each in a transaction of its own. `inOne`: all updates are in one transaction, so
 * a deletion makes room for nothing. The old values are true.
 */
export async function examine(
  context: SyncContext,
  replica: Replica,
  updates: readonly RefUpdate[],
  inOne: boolean,
): Promise<Map<RefName, string>> {
  const reasons = await wrongObjects(context, replica, updates);
  const creates = updates.filter((each) => each.oldValue === null && each.newValue !== null && !reasons.has(each.name));
  if (creates.length === 0) return reasons;
  const gone = new Set(inOne ? [] : updates.filter(({ newValue }) => newValue === null).map(({ name }) => name));
  // Reads one ref more below a new ref than this write deletes there. If that many are found, one remains.
  const goneBelow = new Map<RefName, number>();
  for (const name of gone) for (const above of namesAbove(name)) goneBelow.set(above, (goneBelow.get(above) ?? 0) + 1);
  const there = await refsInTheWay(context.db, replica.id, {
    above: [...new Set(creates.flatMap(({ name }) => namesAbove(name)))],
    below: creates.map(({ name }) => ({ name, most: (goneBelow.get(name) ?? 0) + 1 })),
  });
  const taken = new TakenNames(there.filter((name) => !gone.has(name)));
  for (const { name } of creates) {
    if (taken.leaveRoomFor(name)) taken.add(name);
    else reasons.set(name, "conflicts with an existing ref");
  }
  return reasons;
}

async function wrongObjects(
  { git, signal }: SyncContext,
  { gitDir }: Replica,
  updates: readonly RefUpdate[],
): Promise<Map<RefName, string>> {
  const types = await objectTypes(git, gitDir, objectIds(updates.map(({ newValue }) => newValue)), signal);
  const reasons = new Map<RefName, string>();
  for (const { name, newValue } of updates) {
    if (newValue === null || isSymbolic(newValue)) continue;
    const type = types.get(newValue);
    if (type === undefined) reasons.set(name, "missing object");
    else if (type !== "commit" && (name === HEAD || isBelow(name, "refs/heads/"))) reasons.set(name, "not a commit");
  }
  return reasons;
}

/** How many gits are tried. For a ref that is locked each of them waits a tenth of a second. */
const HALVING_LIMIT = 32;

/**
 * Finds by halves which commands git refuses for reasons that `examine` does not know, such as a stray file in the way
 * or a lock. Costs a bounded number of gits. Refs that were not told apart by then count as refused.
 */
export async function halve(
  context: SyncContext,
  replica: Replica,
  all: readonly RefCommand[],
  author: RefAuthor,
): Promise<Map<RefName, string>> {
  const reasons = new Map<RefName, string>();
  let gits = 0;
  const look = async (commands: readonly RefCommand[]): Promise<void> => {
    gits += 1;
    await using transaction = new RefTransaction(context.git, replica.gitDir, { count: commands.length, author });
    const refusal = await transaction.prepare(commands);
    if (refusal === undefined) return;
    const half = Math.ceil(commands.length / 2);
    if (commands.length === 1 || gits >= HALVING_LIMIT)
      for (const { name } of commands) reasons.set(name, reasonOf(refusal));
    else for (const part of [commands.slice(0, half), commands.slice(half)]) await look(part);
  };
  await look(all);
  return reasons;
}

/**
 * Returns true when git found another value on disk than the log says, or cannot read the disk: the disk must be
 * compared.
 */
export function contradictsLog({ message }: Refusal): boolean {
  return (
    /is at .* but expected|reference already exists|reference is missing|unable to resolve reference/.test(message) ||
    /^reftable: .*(corrupt reftable file|file does not exist)/.test(message)
  );
}

/** Returns why git refused, in the words of its receive-pack where it has some. */
export function reasonOf(refusal: Refusal): string {
  const { message } = refusal;
  if (isLocked(refusal)) return "locked by another git process on the server, try again";
  if (/exists; cannot create/.test(message)) return "conflicts with an existing ref";
  if (/non-commit object/.test(message)) return "not a commit";
  if (/nonexistent object/.test(message)) return "missing object";
  if (/invalid ref format/.test(message)) return "funny refname";
  return message.split("\n")[0]?.slice(0, 200) || "failed to update ref";
}
