// Whatever lies at the place of a replica becomes a replica again: what is missing is made anew, what does not belong there is moved aside.
// What it holds then is found out by comparing it with the log.
import { lstat } from "node:fs/promises";
import { join } from "node:path";
import { LockstepError } from "../../errors.ts";
import { placeAside } from "../../git/replica/aside.ts";
import { mendParts } from "../../git/replica/mend-parts.ts";
import { liesAside, moveAside, takeBack } from "../../git/replica/misplaced.ts";
import { createReplica, ensureSettings, inspect, wasReplica } from "../../git/replica/repository.ts";
import { assertRights } from "../../git/replica/rights.ts";
import { type ReplicaRecord, readReplicaRecord, STATE_DIR } from "../../git/root/root-record.ts";
import { reviseVersions } from "../../store/record-replica.ts";
import { replicaName, replicaWasHere } from "../../store/replicas.ts";
import type { SyncContext } from "../device/context.ts";
import { type Replica, replicaPath } from "../device/replica.ts";
import { assertRoot } from "../device/root.ts";
import { putInDoubt } from "./apply.ts";

/**
 * The caller holds the mutex. Throws ROOT_GONE, NOT_A_REPOSITORY where something lies that has never been this replica,
 * PREREQUISITE_MISSING where this process may not read or write.
 */
export async function prepareDirectory(context: SyncContext, replica: Replica): Promise<void> {
  const { root, socketDir, shim } = context;
  await assertRoot(context);
  const stateDir = join(root, STATE_DIR);
  const settings = { repositoryId: replica.id, socketDir, shim };
  const found = await findReplica(context, replica, stateDir);
  if (found === "replica") return await ensureSettings(replica.gitDir, settings);
  // What was recorded of it is not here: nobody is to take this device for a source of it.
  await reviseVersions(context.db, context.me, [{ repositoryId: replica.id, version: 0n }]);
  Object.assign(replica, { recorded: 0n, holds: undefined });
  if (await takeBack(replica.gitDir, stateDir, replica.id)) return await ensureSettings(replica.gitDir, settings);
  await createReplica(context.git, replica.gitDir, stateDir, {
    ...settings,
    objectFormat: replica.objectFormat,
    refFormat: context.refFormat,
  });
}

/** What is noted beside a replica of this repository. */
export async function noteOf(replica: Replica): Promise<ReplicaRecord | undefined> {
  const record = await readReplicaRecord(replica.gitDir);
  return record?.repositoryId === replica.id ? record : undefined;
}

/** What is at its place, after what does not belong there has been moved aside. */
async function findReplica(context: SyncContext, replica: Replica, stateDir: string): Promise<"absent" | "replica"> {
  const { id, name, gitDir } = replica;
  let owner = id;
  try {
    if (await lstat(gitDir).catch(() => undefined)) await mend(context, replica);
    if ((await inspect(context.git, gitDir, id)) === "absent") return "absent";
    // One that was made anew and has got nothing yet makes room for the one that was moved.
    if ((await noteOf(replica)) || !(await liesAside(stateDir, id))) return "replica";
    owner = `${id}-new`;
  } catch (error) {
    if (!(error instanceof LockstepError && error.code === "NOT_A_REPOSITORY")) throw error;
    owner = error.details.repositoryId ?? `${id}-broken`;
    if (error.details.repositoryId === undefined && !(await wasHere(context, replica))) throw error;
  }
  const aside = await moveAside(gitDir, stateDir, owner);
  context.log.warn({ repository: name, path: gitDir, aside }, "moved aside what is no replica of this repository");
  await fetchFromPlaceOf(context, replica, owner, stateDir);
  return "absent";
}

/**
 * Where two directories were exchanged, this replica lies where the one belongs that lay here. It may be the only copy. It is moved to where
 * those lie that were moved aside, from where the caller takes it; the other one is found there at its next touch.
 */
async function fetchFromPlaceOf(
  context: SyncContext,
  replica: Replica,
  ownerId: string,
  stateDir: string,
): Promise<void> {
  if (!/^[0-9a-f-]{36}$/.test(ownerId) || ownerId === replica.id) return;
  const name = await replicaName(context.db, context.me.device, ownerId).catch(() => undefined);
  if (name === undefined) return;
  const there = replicaPath(context.root, name);
  if (!(await wasReplica(there, replica.id)) || (await liesAside(stateDir, replica.id))) return;
  await moveAside(there, stateDir, replica.id);
  context.log.warn({ repository: replica.name, path: there }, "found this replica at the place of another repository");
}

async function mend(context: SyncContext, replica: Replica): Promise<void> {
  await assertRights(replica.gitDir);
  if (!(await wasReplica(replica.gitDir, replica.id))) return;
  const aside = placeAside(context.root, replica.id);
  const made = await mendParts(context.git, replica, aside, () => putInDoubt(replica));
  if (made.length === 0) return;
  context.log.warn({ repository: replica.name, path: replica.gitDir, made }, "made missing parts of a replica anew");
}

/** Whether this device has ever had the replica; else what lies at its place is an operator's. */
async function wasHere(context: SyncContext, replica: Replica): Promise<boolean> {
  const way = await lstat(replica.gitDir).catch(() => undefined);
  return way !== undefined && (await replicaWasHere(context.db, context.me.device, replica.id));
}
