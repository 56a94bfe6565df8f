// Keeps refs that an operator gave up (docs/operations.md, "Thaw"). Before a device catches up past such a version, it
// saves those that it has below refs/lockstep/lost/<version that gave them up>/.
import { join } from "node:path";
import { keptName } from "../../acceptable-ref.ts";
import {
  displayRef,
  isSymbolic,
  type ObjectId,
  objectIds,
  PRIVATE_REFS,
  type RefName,
  type Refs,
  refName,
  type Version,
} from "../../domain.ts";
import { noteKept } from "../../git/beside/kept-notes.ts";
import { gitFailedError } from "../../git/git-error.ts";
import { existingObjects, unreachable } from "../../git/objects/connectivity.ts";
import { STATE_DIR } from "../../git/root/root-record.ts";
import { RefTransaction } from "../../git/transactions/ref-transaction.ts";
import type { Settlement } from "../../store/log/ref-log.ts";
import type { SyncContext } from "../device/context.ts";
import type { Replica } from "../device/replica.ts";

/**
 * Saves the refs that the settlements gave up and, below the last of them, the refs of `onDisk`. Objects that are not
 * here, or that `kept` reaches, need no ref. The caller holds the replica's mutex. Idempotent.
 */
export async function keepLost(
  context: SyncContext,
  replica: Replica,
  settlements: readonly Settlement[],
  { onDisk, kept }: { onDisk: Refs; kept: Refs },
): Promise<void> {
  const last = settlements.at(-1);
  if (last === undefined) return;
  const lost = new Map<RefName, ObjectId>();
  for (const { version, givenUp } of settlements) collect(lost, version, givenUp);
  collect(lost, last.version, onDisk);
  const keep = new Set(await notIn(context, replica, objectIds(lost.values()), objectIds(kept.values())));
  const refs = [...lost].filter(([, value]) => keep.has(value)).map(([name, newValue]) => ({ name, newValue }));
  if (refs.length === 0) return;
  await noteKept(join(context.root, STATE_DIR), replica.id);
  // Names of different times may exclude each other, as `topic` and `topic/a` do. Ids do not.
  const flat = refs.map(({ newValue }) => ({
    name: refName(`${PRIVATE_REFS}lost/${last.version}/id/${newValue}`),
    newValue,
  }));
  if (!(await keepRefs(context, replica, refs))) await keepRefs(context, replica, flat);
  context.log.warn(
    { repository: replica.name, kept: refs.slice(0, 20).map(({ name }) => displayRef(name)) },
    "kept refs that an operator gave up",
  );
}

/**
 * Saves refs that somebody changed by hand, if no ref of the log has their objects. The caller holds the replica's
 * mutex.
 */
export async function keepStrange(
  context: SyncContext,
  replica: Replica,
  { version, onDisk, fold }: { version: Version; onDisk: Refs; fold: Refs },
): Promise<void> {
  const strange = new Map([...onDisk].filter(([name, value]) => fold.get(name) !== value));
  if (strange.size === 0) return;
  await keepLost(context, replica, [{ version, givenUp: new Map() }], { onDisk: strange, kept: fold });
}

/** Makes refs of Lockstep's own. Returns false when they exclude each other. The caller holds the replica's mutex. */
async function keepRefs(
  context: SyncContext,
  replica: Replica,
  refs: readonly { name: RefName; newValue: ObjectId }[],
): Promise<boolean> {
  await using transaction = new RefTransaction(context.git, replica.gitDir, { count: refs.length });
  const refusal = await transaction.prepare(refs);
  if (refusal && !/exists; cannot create|cannot process|cannot lock ref/.test(refusal.message))
    throw gitFailedError(["update-ref"], 128, refusal.message);
  if (refusal) return false;
  await transaction.commit();
  return true;
}

function collect(lost: Map<RefName, ObjectId>, version: Version, refs: Refs): void {
  for (const [name, value] of refs) {
    if (!isSymbolic(value)) lost.set(keptName(`${PRIVATE_REFS}lost/${version}/`, name), value);
  }
}

/** Returns those of `ids` that are here with all their objects, and that `kept` does not reach. */
async function notIn(
  { git, signal }: SyncContext,
  { gitDir }: Replica,
  ids: readonly string[],
  kept: readonly string[],
): Promise<string[]> {
  const present = await existingObjects(git, gitDir, ids, signal);
  if (present.length === 0) return [];
  const all = await unreachable(git, gitDir, present, kept, signal);
  if (all) return all;
  const whole: string[][] = [];
  for (const id of present) whole.push((await unreachable(git, gitDir, [id], kept, signal)) ?? []);
  return whole.flat();
}
