// Takes over a repository that lay at the place of a replica before the cluster knew the repository. An adoption has
// allowed it (store/adopt/adoption.ts). Its objects stay, so nothing is copied.

import { digestOf } from "../../digest.ts";
import { objectIds, type Refs, type Version } from "../../domain.ts";
import { LockstepError } from "../../errors.ts";
import { existingObjects } from "../../git/objects/connectivity.ts";
import { examineDirectory } from "../../git/replica/examine-directory.ts";
import { ensureSettings } from "../../git/replica/repository.ts";
import { syncDirectory } from "../../git/replica/sync-directory.ts";
import { endAdopting, prepareTakeIn } from "../../git/replica/take-in.ts";
import { doubtReplicaRecord } from "../../git/root/root-record.ts";
import { clearTakeOver, noteLate, readAdoption } from "../../store/adopt/adoption.ts";
import { firstVersion, versionOfDigest } from "../../store/log/digests.ts";
import { readFold } from "../../store/log/fold.ts";
import { readDigest } from "../../store/log/ref-log.ts";
import type { SyncContext } from "../device/context.ts";
import type { Replica } from "../device/replica.ts";
import { keepLost } from "./keep-given-up.ts";
import { oneDirectoryAtATime } from "./one-directory-at-a-time.ts";

/**
 * Makes the directory of a replica one of Lockstep's, if an adoption allows it. Returns false if none does. The caller
 * holds the mutex and compares the refs with the log afterwards. Throws ADOPTION_REFUSED when the directory cannot
 * become this replica as it is.
 */
export async function takeOverDirectory(context: SyncContext, replica: Replica): Promise<boolean> {
  const { db, me, git, signal, socketDir, shim } = context;
  const { id, name, gitDir } = replica;
  const how = (await readAdoption(db, me.device, id))?.takesOver ?? null;
  if (how === null) return false;
  const { refs, objectFormat } = await examineDirectory(git, gitDir, { objects: true, signal });
  if (objectFormat !== replica.objectFormat)
    throw new LockstepError(
      "ADOPTION_REFUSED",
      `${gitDir} has objects of the format ${objectFormat}, and ${name} has ${replica.objectFormat}; move it away.`,
      { details: { path: gitDir } },
    );
  const base = how === "replace" ? undefined : await versionOf(context, replica, refs, how);
  if (base === undefined) {
    const kept = await keepAll(context, replica, refs);
    context.log.warn({ repository: name, path: gitDir, kept }, "took over a directory whose refs were given up");
  }
  await syncDirectory(gitDir);
  if (base !== undefined) await noteLate(db, me, id);
  const settings = { repositoryId: id, socketDir, shim };
  const digest = base === undefined ? undefined : await readDigest(db, id, base);
  await oneDirectoryAtATime(context, async () => {
    await prepareTakeIn(gitDir, settings, { mark: false });
    // Locks and quarantines may belong to a git that began before.
    replica.swept = true;
    if (base !== undefined)
      await doubtReplicaRecord(gitDir, { repositoryId: id, version: base, digest: digest?.toString("hex") ?? "" });
    await ensureSettings(gitDir, settings);
    // An adoption of this directory that was killed does not go on.
    await endAdopting(gitDir);
  });
  await clearTakeOver(db, me, id);
  if (base !== undefined) context.replicas.takenOver.push(replica);
  context.log.info({ repository: name, path: gitDir, version: base?.toString() }, "took over a directory");
  return true;
}

/** Returns the version that the directory has, or had when it was adopted. */
async function versionOf(
  { db, me }: SyncContext,
  { id, name, gitDir }: Replica,
  refs: Refs,
  how: "same" | "known",
): Promise<Version> {
  const { digestKey } = await readFold(db, id);
  const version =
    (await versionOfDigest(db, id, digestOf(digestKey, refs))) ??
    (how === "known" ? await firstVersion(db, id) : undefined);
  if (version !== undefined) return version;
  throw new LockstepError(
    "ADOPTION_REFUSED",
    `Device ${me.device} has ${gitDir}, whose refs are those of no version of ${name}, and nothing of it is touched. ` +
      `\`lockstep repo adopt ${name}\` there shows the differences; or move it away.`,
    { details: { path: gitDir, repository: name } },
  );
}

/** Keeps all refs that differ from the log below refs/lockstep/lost/. Returns how many there were. */
async function keepAll(context: SyncContext, replica: Replica, refs: Refs): Promise<number> {
  const fold = await readFold(context.db, replica.id);
  const strange = new Map([...refs].filter(([name, value]) => fold.refs.get(name) !== value));
  const here = new Set(
    await existingObjects(context.git, replica.gitDir, objectIds(fold.refs.values()), context.signal),
  );
  // Only what is here tells whether an object is part of the log's refs.
  const kept = new Map([...fold.refs].filter(([, value]) => here.has(value as string)));
  await keepLost(context, replica, [{ version: fold.head, givenUp: new Map() }], { onDisk: strange, kept });
  return strange.size;
}
