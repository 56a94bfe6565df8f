// Gives up the copy of a repository that this device shall not hold any more, and frees its disk some days later. Both
// are commands of the queue. They may be killed anywhere and are then repeated.
import { join } from "node:path";
import { crashPoint } from "../../crash-points.ts";
import { LockstepError } from "../../errors.ts";
import { doomRemoved, freeDoomed, setRemovedAside } from "../../git/replica/removed.ts";
import { STATE_DIR } from "../../git/root/root-record.ts";
import { destroyReplica, releaseReplica as release } from "../../store/release-replica.ts";
import { assertRoot } from "../device/assert-root.ts";
import type { SyncContext } from "../device/context.ts";
import { fencedOff } from "../device/fenced-off.ts";
import type { Replica } from "../device/replica.ts";
import { outOfServiceError } from "../replica/out-of-service.ts";

/** The outcome of both commands, for people and programs. */
export interface Released {
  readonly outcome: Readonly<Record<string, unknown>>;
  readonly changed: boolean;
}

/**
 * Releases the replica, and moves its files to the removed ones, where they stay for `keepDays`. The database decides;
 * until then the replica serves reads. Throws REPLICA_NEEDED while the other devices lack something, and
 * INVALID_REQUEST if this device shall hold the repository.
 */
export async function releaseReplica(context: SyncContext, replica: Replica, keepDays: number): Promise<Released> {
  const { db, me, root } = context;
  // Under the mutex no push of this device is under way, and no catch-up writes.
  return await replica.mutex.runAsItIs(async () => {
    if (replica.outOfService) throw outOfServiceError(replica.name, replica.outOfService);
    await assertRoot(context);
    const { outcome, lacking, changed } = await release(db, me, replica.id, keepDays);
    if (outcome === "fenced") throw fencedOff(context);
    if (outcome === "wanted") throw wantedError(context, replica);
    if (outcome !== "released" && outcome !== "missing") throw neededError(context, replica, outcome, lacking);
    replica.applied = undefined;
    context.replicas.forget(replica);
    await crashPoint("release.recorded");
    const path = await setRemovedAside(replica.gitDir, join(root, STATE_DIR), replica.id);
    await crashPoint("release.moved");
    if (path !== undefined) context.log.info({ repository: replica.name, path }, "gave up a copy and kept its files");
    return { outcome: { released: outcome === "released", path: path ?? null }, changed };
  });
}

/** Frees the files of the replica that was released at that time, unless it came back or was released again. */
export async function destroyReplicaFiles(context: SyncContext, replica: Replica, released: string): Promise<Released> {
  const stateDir = join(context.root, STATE_DIR);
  // Under the mutex no catch-up takes the files back.
  const doomed = await replica.mutex.runAsItIs(async () => {
    await assertRoot(context);
    if (!(await destroyReplica(context.db, context.me, replica.id, released))) return undefined;
    await crashPoint("destroy.recorded");
    return await doomRemoved(stateDir, replica.id);
  });
  if (doomed === undefined) return { outcome: { destroyed: false }, changed: false };
  await crashPoint("destroy.doomed");
  await freeDoomed(doomed);
  context.log.info({ repository: replica.name, directories: doomed.length }, "freed the files of a copy");
  return { outcome: { destroyed: true, directories: doomed.length }, changed: true };
}

function wantedError({ me }: SyncContext, { name }: Replica): LockstepError {
  return new LockstepError(
    "INVALID_REQUEST",
    `Device ${me.device} shall hold ${name}, so its copy stays; change the placement first with \`lockstep repo set ${name} --devices A,B\`.`,
    { details: { device: me.device, repository: name } },
  );
}

function neededError(
  { me }: SyncContext,
  { name }: Replica,
  outcome: "needed" | "writing" | "stopped",
  lacking: readonly string[] | null,
): LockstepError {
  const why = {
    needed: lacking?.length ? `${lacking.join(", ")} do not have everything yet` : "no other device holds it",
    writing: "a write is under way there",
    stopped: "an operator has to decide first which refs stay",
  }[outcome];
  return new LockstepError(
    "REPLICA_NEEDED",
    `The copy of ${name} on ${me.device} is still needed: ${why}. It is released by itself once that has changed; \`lockstep repo show ${name}\` tells.`,
    { details: { device: me.device, repository: name } },
  );
}
