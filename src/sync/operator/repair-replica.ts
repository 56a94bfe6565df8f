// What verify found wrong with a replica is made good from the log and from the other devices, never the other way round. What was
// there instead is kept: it may be the only copy.
import { join } from "node:path";
import { objectIds, type Refs, type Version } from "../../domain.ts";
import { LockstepError } from "../../errors.ts";
import { ALTERNATES } from "../../git/objects/beside-objects.ts";
import { type Damage, damagedPath, findDamage, setDamageAside } from "../../git/objects/damage.ts";
import { STATE_DIR } from "../../git/root/root-record.ts";
import { catchUp } from "../catch-up/catch-up.ts";
import type { SyncContext } from "../device/context.ts";
import type { Replica } from "../device/replica.ts";
import { fetchObjects } from "../objects/fetch-objects.ts";
import { putInDoubt } from "../replica/apply.ts";
import { keepStrange } from "../replica/keep-given-up.ts";

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
 * Fetches everything that the refs need from the other devices, relying on nothing that is here, and only then moves aside what is
 * damaged. Throws NO_SOURCE when nobody has all of it: then everything is as before; REPLICA_IN_DOUBT when it did not help.
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
  const left = await findDamage(git, replica.gitDir, wants, signal);
  if (!lacksObjects(left)) return;
  throw new LockstepError(
    "REPLICA_IN_DOUBT",
    `The replica of ${replica.name} is still damaged after everything was fetched again; does its disk fail?`,
  );
}

/** Files that only make git see fewer objects than are here need no others instead. */
function lacksObjects({ packs, objects, incomplete, beside }: Damage): boolean {
  return packs.length + objects.length > 0 || incomplete || beside.includes(ALTERNATES);
}
