// Finds out why git would refuse refs of a write. git names one ref and gives up. This finds all of them at once, so
// that many bad refs do not cost many gits.
import { HEAD, isBelow, isSymbolic, objectIds, type RefName, type RefUpdate } from "../../domain.ts";
import { objectTypes } from "../../git/objects/connectivity.ts";
import { namesAbove, TakenNames } from "../../git/refs/ref-paths.ts";
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
