// Adopts a repository that lies on this disk. First git's hook and settings, so that new pushes are handed over; then
// the rows of the database; then another look at the refs. A push of plain git that began before may change them until
// it ends, and lands as a write of its own (catch-up/land-late.ts).
import { randomUUID } from "node:crypto";
import { crashPoint } from "../../crash-points.ts";
import type { Version } from "../../domain.ts";
import { describe, LockstepError } from "../../errors.ts";
import { ensureAliasHook } from "../../git/refs/alias-hook.ts";
import { difference, readRefs } from "../../git/refs/refs.ts";
import { ensureSettings, settingsOwner } from "../../git/replica/repository.ts";
import { syncDirectory } from "../../git/replica/sync-directory.ts";
import { endAdopting, prepareTakeIn, undoTakeIn } from "../../git/replica/take-in.ts";
import { doubtReplicaRecord } from "../../git/root/root-record.ts";
import { repositoryName } from "../../names.ts";
import { type AdoptOutcome, adoptRepository as insert } from "../../store/adopt/adoption.ts";
import { replicasOf } from "../../store/replica/replicas.ts";
import { findRepository, type Repository } from "../../store/repository/repositories.ts";
import { catchUpToHead } from "../catch-up/catch-up.ts";
import type { SyncContext } from "../device/context.ts";
import { endAsFenced } from "../device/end-as-fenced.ts";
import { replicaPath } from "../device/replica.ts";
import { assertRoot } from "../place/assert-root.ts";
import { markApplied, recordInDatabase } from "../replica/apply.ts";
import { oneDirectoryAtATime } from "../replica/one-directory-at-a-time.ts";
import { joinExisting } from "./join-existing.ts";
import { type AdoptionOptions, type AdoptionPlan, planAdoption, type RefDiffers, takenError } from "./plan-adoption.ts";
import { watchLate } from "./watch-late.ts";

/** How an adoption ended. `elsewhere`: that device has to carry it out. */
export type Adoption =
  | { readonly adopted: AdoptedRepository }
  | { readonly refused: RefusedAdoption }
  | { readonly elsewhere: string };

export interface AdoptedRepository {
  readonly repository: string;
  /** Text, because JSON has no bigint. */
  readonly version: string;
  /** The devices whose directories are replicas now. */
  readonly devices: readonly string[];
  readonly notes: readonly string[];
}

export interface RefusedAdoption {
  readonly repository: string;
  readonly reason: string;
  readonly differences: readonly RefDiffers[];
}

export interface AdoptOptions extends AdoptionOptions {
  readonly dryRun: boolean;
  readonly author: string;
}

/**
 * Adopts the directory of that name on this device, or says why not. With `dryRun` it changes nothing. After a crash a
 * repeated call goes on. Throws only errors after which a repeated call may succeed.
 */
export async function adoptRepository(context: SyncContext, given: string, options: AdoptOptions): Promise<Adoption> {
  try {
    return await adopt(context, repositoryName(given), options);
  } catch (error) {
    if (!isFinal(error)) throw error;
    return { refused: { repository: given, reason: describe(error), differences: [] } };
  }
}

const FINAL = ["INVALID_NAME", "ADOPTION_REFUSED", "PREREQUISITE_MISSING", "REPOSITORY_EXISTS", "REPLICA_NOT_FOUND"];

/** Returns whether a repeated call would fail in the same way until somebody has done something. */
function isFinal(error: unknown): boolean {
  return error instanceof LockstepError && FINAL.includes(error.code);
}

async function adopt(context: SyncContext, name: string, options: AdoptOptions): Promise<Adoption> {
  await assertRoot(context);
  const existing = await known(context, name);
  if (existing !== undefined) return await goOn(context, existing, options);
  try {
    return await adoptUnknown(context, name, options);
  } catch (error) {
    // Another device may have adopted it meanwhile.
    const made = isFinal(error) ? await known(context, name) : undefined;
    if (made === undefined) throw error;
    return await goOn(context, made, options);
  }
}

async function known(context: SyncContext, name: string): Promise<Repository | undefined> {
  return await findRepository(context.db, name).catch((error: unknown) => {
    if (error instanceof LockstepError && error.code === "REPOSITORY_NOT_FOUND") return undefined;
    throw error;
  });
}

async function adoptUnknown(context: SyncContext, name: string, options: AdoptOptions): Promise<Adoption> {
  const planned = await planAdoption(context, name, options);
  if ("elsewhere" in planned) return planned;
  if ("refused" in planned)
    return { refused: { repository: name, reason: planned.refused, differences: planned.differences } };
  const { plan } = planned;
  const devices = [context.me.device, ...plan.others.keys()].sort();
  const { notes } = plan;
  if (options.dryRun) return { adopted: { repository: name, version: String(plan.version), devices, notes } };
  if (!(await takeInAndRecord(context, name, plan, options.author)))
    return await goOn(context, await findRepository(context.db, name), options);
  const version = await finish(context, name, plan);
  return { adopted: { repository: name, version: String(version), devices, notes } };
}

/** Goes on where a repository of that name exists: an adoption that was killed, or a directory that came too late. */
async function goOn(context: SyncContext, repository: Repository, options: AdoptOptions): Promise<Adoption> {
  const joined = await joinExisting(context, repository, options);
  if ("refused" in joined)
    return { refused: { repository: repository.name, reason: joined.refused, differences: joined.differences } };
  const rows = await replicasOf(context.db, repository.id);
  const devices = rows.filter(({ state }) => state === "active").map(({ device }) => device);
  const { name } = repository;
  return { adopted: { repository: name, version: String(joined.version), devices, notes: [] } };
}

/** Returns false if the database knew the repository already: another device, or an earlier call, has adopted it. */
async function takeInAndRecord(
  context: SyncContext,
  name: string,
  plan: AdoptionPlan,
  author: string,
): Promise<boolean> {
  const { db, me, root, socketDir, shim } = context;
  const { repositoryId, version, digest, forgotten } = plan;
  const path = replicaPath(root, name);
  const settings = { repositoryId, socketDir, shim };
  // Other devices will rely on these refs and objects.
  await syncDirectory(path);
  const note = { repositoryId, version, digest: digest.toString("hex") };
  const isMade = await oneDirectoryAtATime(context, async () => {
    // Another device may have adopted it meanwhile, and then this one has taken its directory over.
    const owner = await settingsOwner(path);
    if (owner !== undefined && owner !== repositoryId) throw takenError(name);
    try {
      await prepareTakeIn(path, settings, { mark: !forgotten });
      if (!forgotten) await doubtReplicaRecord(path, note);
      await ensureSettings(path, settings);
      await crashPoint("adopt.taken-in");
      const { outcome } = await insert(db, me, requestOf(name, plan, author));
      return await isFirst(context, name, outcome);
    } catch (error) {
      // After other errors the outcome may be unknown, and the command goes on.
      if (isFinal(error) && !forgotten) await undoTakeIn(path);
      throw error;
    }
  });
  // No plain push can have changed a replica, so its old note is no worse until now.
  if (isMade && forgotten) await doubtReplicaRecord(path, note);
  await crashPoint("adopt.recorded");
  return isMade;
}

function requestOf(name: string, plan: AdoptionPlan, author: string) {
  const { examined, forgotten, ...rest } = plan;
  const { objectFormat, refs } = examined;
  return { ...rest, name, author, objectFormat, refs, writeId: randomUUID(), settles: forgotten };
}

async function isFirst(context: SyncContext, name: string, outcome: AdoptOutcome): Promise<boolean> {
  if (outcome === "fenced") throw endAsFenced(context);
  if (outcome === "old_leases")
    throw new LockstepError("DATABASE_UNAVAILABLE", "After a fail-over the old leases have not ended yet; try again.");
  if (outcome === "exists" || outcome === "elsewhere") throw takenError(name);
  context.log.info({ repository: name, outcome }, "adopted a repository");
  return outcome === "adopted";
}

/** Compares the refs once more, now that the hook and the rows are there. Returns the version of the replica. */
async function finish(context: SyncContext, name: string, plan: AdoptionPlan): Promise<Version> {
  const { repositoryId: id, version, digest, examined } = plan;
  const replica = context.replicas.get({ id, name, objectFormat: examined.objectFormat });
  await endAdopting(replica.gitDir);
  // Locks and quarantines may belong to a git that began before.
  replica.swept = true;
  await watchLate(context, replica);
  const isUnchanged = await replica.mutex.runExclusive(async () => {
    if (replica.applied !== undefined) return true;
    const now = await readRefs(context.git, replica.gitDir, context.signal);
    if (difference(now, examined.refs).size > 0) return false;
    await ensureAliasHook(replica.gitDir, examined.refs).catch(() => {});
    await markApplied(context, replica, { from: undefined, changes: new Map() }, { version, digest });
    await recordInDatabase(context, replica);
    return true;
  });
  if (!isUnchanged) await catchUpToHead(context, replica, { signal: context.signal, insist: true });
  await crashPoint("adopt.compared");
  context.announcer.announce(id);
  return replica.applied ?? version;
}
