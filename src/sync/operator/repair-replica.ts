// Repairs a replica from the log and from other devices, never the other way round. It keeps the refs and objects that
// it replaces, because they may be the only copy.
import { rename } from "node:fs/promises";
import { join } from "node:path";
import { objectIds, type Refs, type Version } from "../../domain.ts";
import { LockstepError } from "../../errors.ts";
import { ALTERNATES, borrowingParts } from "../../git/borrowing/borrowing.ts";
import { setFilesAside } from "../../git/objects/beside-objects.ts";
import { type Damage, damagedPath, findDamage, setDamageAside } from "../../git/packs/damage.ts";
import { wasReplica } from "../../git/replica/repository.ts";
import { STATE_DIR } from "../../git/root/root-record.ts";
import { catchUp } from "../catch-up/catch-up.ts";
import type { SyncContext } from "../device/context.ts";
import type { Replica } from "../device/replica.ts";
import { fetchObjects } from "../objects/fetch-objects.ts";
import { putInDoubt } from "../replica/apply.ts";
import { keepStrange } from "../replica/keep-given-up.ts";

/** What made git read other directories, and has been moved out of the replica. */
export interface Borrowing {
  /** By their paths in the replica. */
  readonly parts: readonly string[];
  /** Puts the list of alternates back because objects are missing without it. Then the replica is not served. */
  putBack(): Promise<void>;
}

/**
 * Moves what makes git read other directories out of a replica, and puts the replica in doubt. Other devices then bring
 * what is missing.
 */
export async function endBorrowing(context: SyncContext, replica: Replica): Promise<Borrowing> {
  const { gitDir, id } = replica;
  const parts = borrowingParts(gitDir);
  if (parts.length === 0 || !(await wasReplica(gitDir, id))) return { parts: [], putBack: async () => {} };
  const moved = await setFilesAside(gitDir, parts, damagedPath(join(context.root, STATE_DIR), id));
  await replica.mutex.distrust();
  context.log.warn({ repository: replica.name, parts }, "moved aside what made git read from other directories");
  return {
    parts,
    async putBack() {
      const alternates = moved.get(ALTERNATES);
      if (alternates !== undefined) await rename(alternates, join(gitDir, ALTERNATES));
    },
  };
}

/** Folds the log onto the refs again. Throws what `catchUp` throws. */
export async function repairRefs(
  context: SyncContext,
  replica: Replica,
  { version, onDisk, fold }: { version: Version; onDisk: Refs; fold: Refs },
  signal: AbortSignal,
): Promise<void> {
  await replica.mutex.runExclusive(async () => {
    await keepStrange(context, replica, { version, onDisk, fold });
    await putInDoubt(replica);
  });
  await catchUp(context, replica, version, { signal, insist: true });
}

/**
 * Fetches everything that the refs need from other devices, without relying on objects here, and only then moves
 * damaged files aside. Throws NO_SOURCE when no device has all of it: then nothing has changed. Throws REPLICA_IN_DOUBT
 * when damage is left.
 */
export async function repairObjects(
  context: SyncContext,
  replica: Replica,
  damage: Damage,
  { version, fold }: { version: Version; fold: Refs },
  signal: AbortSignal,
): Promise<void> {
  const { git, root } = context;
  const wants = objectIds(fold.values());
  if (lacksObjects(damage)) {
    await fetchObjects(context, replica, {
      wants,
      haves: [],
      version,
      writers: [],
      lookHere: false,
      alone: true,
      prefer: undefined,
      onProgress: () => {},
      signal,
    });
  }
  const aside = damagedPath(join(root, STATE_DIR), replica.id);
  await replica.tidying.runExclusive(() => setDamageAside(git, replica.gitDir, damage, aside, signal));
  replica.keptReader.end();
  const left = await findDamage(git, replica.gitDir, wants, { signal });
  if (!lacksObjects(left)) return;
  throw new LockstepError(
    "REPLICA_IN_DOUBT",
    `The replica of ${replica.name} is still damaged after everything was fetched again; see whether its disk fails.`,
  );
}

/** Returns whether objects must be fetched. Files that only hide objects from git can simply be moved aside. */
function lacksObjects({ packs, objects, incomplete, beside }: Damage): boolean {
  return packs.length + objects.length > 0 || incomplete || beside.includes(ALTERNATES);
}
