// `thaw --promote`: the refs on this device's disk become the refs of the repository.
import { describeUnacceptable } from "../../acceptable-ref.ts";
import { digestAfter } from "../../digest.ts";
import { HEAD, objectIds, type RefUpdate, type Version } from "../../domain.ts";
import { LockstepError } from "../../errors.ts";
import { listCommits } from "../../git/objects/commits.ts";
import { isConnected } from "../../git/objects/connectivity.ts";
import { difference, readRefs } from "../../git/refs/refs.ts";
import { inspect } from "../../git/replica/repository.ts";
import { readReplicaRecord } from "../../git/root/root-record.ts";
import { readFold } from "../../store/log/fold.ts";
import { noReplicaError, replicasOf } from "../../store/replica/replicas.ts";
import { findRepository } from "../../store/repository/repositories.ts";
import type { SyncContext } from "../device/context.ts";
import type { Replica } from "../device/replica.ts";
import { COMMITS_LISTED, highest, type ThawPlan, thawRefusedError } from "./thaw-plan.ts";

/**
 * Plans a promotion. The caller holds the replica's mutex. Throws THAW_REFUSED, REPLICA_NOT_FOUND, NOT_A_REPOSITORY,
 * REPLICA_IN_DOUBT.
 */
export async function planPromote(
  context: SyncContext,
  replica: Replica,
  device: string,
  signal: AbortSignal,
): Promise<ThawPlan> {
  const { db, git } = context;
  const { name, gitDir } = replica;
  if (device !== context.me.device)
    throw thawRefusedError(`Only device ${device} sees its disk; run this there, beside its sidecar.`, name);
  const { stopped } = await findRepository(db, name);
  const rows = await replicasOf(db, replica.id);
  if (!rows.some((row) => row.device === device) || (await inspect(git, gitDir, replica.id)) === "absent")
    throw noReplicaError(device, name);
  const record = await readReplicaRecord(gitDir);
  const fold = await readFold(db, replica.id);
  const onDisk = await readRefs(git, gitDir, signal);
  const updates: RefUpdate[] = [...difference(fold.refs, onDisk)]
    .filter(([ref]) => ref !== HEAD || onDisk.get(ref))
    .map(([ref, newValue]) => ({ name: ref, oldValue: fold.refs.get(ref) ?? null, newValue }));
  if (updates.length === 0 && stopped === null)
    throw thawRefusedError(
      `The refs of ${name} on ${device} are those of version ${fold.head} already; there is nothing to decide.`,
      name,
    );
  const unacceptable = describeUnacceptable(updates);
  if (unacceptable !== "")
    throw thawRefusedError(
      `Other devices cannot hold all refs of ${name} that ${device} has (${unacceptable}); delete or rename them there with git, and ask again.`,
      name,
    );
  const before = objectIds(updates.map(({ oldValue }) => oldValue));
  const after = objectIds(updates.map(({ newValue }) => newValue));
  if (!(await isConnected(git, gitDir, after, [], { signal }))) {
    throw new LockstepError(
      "REPLICA_IN_DOUBT",
      `The replica of ${name} on ${device} lacks objects that its own refs need; mend it, or promote another device.`,
    );
  }
  const versions: Version[] = [fold.head, ...rows.map(({ version }) => version), record?.version ?? 0n];
  const walk = (tips: string[], without: string[]) =>
    listCommits(git, gitDir, { tips, without, limit: COMMITS_LISTED }, signal);
  return {
    head: fold.head,
    headDigest: fold.digest,
    version: highest(versions) + 1n,
    digest: digestAfter(fold.digestKey, fold.digest, updates),
    updates,
    keeper: { device, version: record?.version ?? null },
    givenUp: [],
    lost: await walk(before, after),
    gained: await walk(after, before),
  };
}
