// Adopts a directory whose name a repository of the cluster has. Either the adoption was killed after the rows were
// made, or the device was away when another device adopted its directory.

import { digestOf } from "../../digest.ts";
import type { Version } from "../../domain.ts";
import { LockstepError } from "../../errors.ts";
import { examineDirectory } from "../../git/replica/examine-directory.ts";
import { settingsOwner } from "../../git/replica/repository.ts";
import { endAdopting } from "../../git/replica/take-in.ts";
import { allowTakeOver, readAdoption } from "../../store/adopt/adoption.ts";
import { versionOfDigest } from "../../store/log/digests.ts";
import { readFold } from "../../store/log/fold.ts";
import { noReplicaError } from "../../store/replica/replicas.ts";
import type { Repository } from "../../store/repository/repositories.ts";
import { catchUpToHead } from "../catch-up/catch-up.ts";
import type { SyncContext } from "../device/context.ts";
import { type AdoptionOptions, differencesOf, type RefDiffers, takenError } from "./plan-adoption.ts";
import { watchLate } from "./watch-late.ts";

type Joined = { readonly version: Version } | { readonly refused: string; readonly differences: readonly RefDiffers[] };

/**
 * Makes the directory here the replica of an existing repository, or says why not. Throws REPOSITORY_EXISTS where there
 * is nothing to adopt, REPLICA_NOT_FOUND, ADOPTION_REFUSED.
 */
export async function joinExisting(
  context: SyncContext,
  repository: Repository,
  { from, signal, dryRun }: AdoptionOptions & { dryRun: boolean },
): Promise<Joined> {
  const { db, me } = context;
  const { id, name } = repository;
  const replica = context.replicas.get(repository);
  const row = await readAdoption(db, me.device, id);
  if (row === undefined) throw noReplicaError(me.device, name);
  if ((await settingsOwner(replica.gitDir)) === id) {
    if (!row.isAdopted) throw takenError(name);
    if (dryRun) return { version: repository.headVersion };
  } else {
    const { refs } = await examineDirectory(context.git, replica.gitDir, { objects: true, signal });
    const fold = await readFold(db, id);
    const isVersion = (await versionOfDigest(db, id, digestOf(fold.digestKey, refs))) !== undefined;
    if (!isVersion && (from === undefined || from === me.device)) {
      const differences = differencesOf(
        new Map([
          ["the cluster", fold.refs],
          [me.device, refs],
        ]),
      );
      return {
        refused:
          `${name} is in the cluster already, and these refs match none of its versions. ` +
          "With --from DEVICE this directory follows it and keeps its refs below refs/lockstep/lost/.",
        differences,
      };
    }
    if (dryRun) return { version: repository.headVersion };
    await allowTakeOver(db, me, id, isVersion ? "same" : "replace");
  }
  await endAdopting(replica.gitDir);
  await watchLate(context, replica);
  await catchUpToHead(context, replica, { signal, insist: true });
  if (replica.applied === undefined)
    throw new LockstepError("REPLICA_IN_DOUBT", `The replica of ${name} came into doubt; try again.`);
  return { version: replica.applied };
}
