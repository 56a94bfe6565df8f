// Gives up the copy of a repository that this device shall not hold any more. That is a command of the queue. It may be
// killed anywhere and is then repeated. Some days later another one frees the disk (destroy-replica.ts).
import { crashPoint } from "../../crash-points.ts";
import { LockstepError } from "../../errors.ts";
import { releaseReplica as release } from "../../store/replica/release-replica.ts";
import { forgetPlaces, possiblePlaces } from "../../store/repository/removals.ts";
import type { SyncContext } from "../device/context.ts";
import { endAsFenced } from "../device/end-as-fenced.ts";
import { type Replica, UNRECORDED } from "../device/replica.ts";
import { assertRoot } from "../place/assert-root.ts";
import { endLive, outOfServiceError } from "../replica/out-of-service.ts";
import { moveAside } from "./move-aside.ts";

/** The outcome of both commands, for people and programs. */
export interface Released {
  readonly outcome: Readonly<Record<string, unknown>>;
  readonly changed: boolean;
}

/**
 * Releases the replica, and moves its files to the removed ones, where they stay for `keepDays`. The database decides;
 * until then the replica serves reads. Throws REPLICA_NEEDED while the other devices lack something, and
 * INVALID_REQUEST if this device shall hold the repository. If the repository was removed, no device needs it.
 * `decided`: a removal or another placement gave the command. Then nothing happens if the repository was restored, or
 * placed here again, since.
 */
export async function releaseReplica(
  context: SyncContext,
  replica: Replica,
  { keepDays, decided }: { keepDays: number; decided: boolean },
): Promise<Released> {
  const { db, me, log } = context;
  // Under the mutex no push of this device is under way, and no catch-up writes.
  return await replica.mutex.runAsItIs(async () => {
    const places = await possiblePlaces(db, me.device, replica.id);
    if (replica.outOfService && !places?.removed) throw outOfServiceError(replica.name, replica.outOfService);
    // The session on its files was dropped with the repository.
    if (replica.outOfService) await endLive(context, replica);
    await assertRoot(context);
    const { outcome, lacking, changed } = await release(db, me, replica.id, keepDays);
    if (outcome === "fenced") throw endAsFenced(context);
    if (outcome === "wanted" && decided) return { outcome: { released: false }, changed };
    if (outcome === "wanted") throw wantedError(context, replica);
    if (outcome !== "released" && outcome !== "missing") throw neededError(context, replica, outcome, lacking);
    Object.assign(replica, {
      applied: undefined,
      recorded: UNRECORDED,
      holds: undefined,
      failure: undefined,
      swept: false,
    });
    await crashPoint("release.recorded");
    const { name: repository } = replica;
    const path = await moveAside(context, replica, places?.names ?? []);
    context.replicas.giveUp(replica);
    await crashPoint("release.moved");
    await forgetPlaces(db, me, replica.id);
    if (path !== undefined) log.info({ repository, path }, "gave up a copy and kept its files");
    return { outcome: { released: outcome === "released", path: path ?? null }, changed };
  });
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
