// Appends an operator's version. When leaders are lost, or the database has lost writes, an operator says which refs
// stay (docs/mechanisms.md, "Thaw"). The first call shows the changes. The second call, with the confirmation from
// the first, makes them. The log only ever grows.
import { randomUUID } from "node:crypto";
import { type RefName, type RefUpdate, type RefValue, shortHash } from "../../domain.ts";
import { LockstepError } from "../../errors.ts";
import { appendThaw } from "../../store/operator/thaw.ts";
import { repositoryNotFoundError } from "../../store/repository/former-names.ts";
import { findRepository } from "../../store/repository/repositories.ts";
import { catchUpToHead } from "../catch-up/catch-up.ts";
import type { SyncContext } from "../device/context.ts";
import { endAsFenced } from "../device/end-as-fenced.ts";
import type { Replica } from "../device/replica.ts";
import { markApplied, recordInDatabase } from "../replica/apply.ts";
import { keepLost } from "../replica/keep-given-up.ts";
import { afterOldLeases } from "../turn/old-leases.ts";
import { planDemote } from "./thaw-demote.ts";
import type { ThawPlan } from "./thaw-plan.ts";
import { planPromote } from "./thaw-promote.ts";

/** promote: the refs on that device's disk stay. demote: versions that only those devices hold are given up. */
export type ThawAction = { readonly promote: string } | { readonly demote: readonly string[] };

export interface Thaw {
  readonly plan: ThawPlan;
  /** Identifies this plan and no other. */
  readonly confirmation: string;
  readonly done: boolean;
}

/**
 * Returns the plan of the action. With the confirmation of that plan, carries it out. Throws THAW_REFUSED when there is
 * nothing to decide or another device must do it. Throws WRITE_DROPPED when the state is no longer as the operator was
 * shown it.
 */
export async function thaw(
  context: SyncContext,
  request: { repository: string; action: ThawAction; confirmation: string; author: string; signal: AbortSignal },
): Promise<Thaw> {
  const { action, author, signal } = request;
  const repository = await findRepository(context.db, request.repository);
  const replica = context.replicas.get(repository);
  if ("demote" in action) {
    const plan = await planDemote(context, replica, action.demote, signal);
    const confirmation = confirmationOf(action, plan);
    if (request.confirmation === "") return { plan, confirmation, done: false };
    check(replica.name, request.confirmation, confirmation);
    await append(context, replica, plan, { author, action: "thaw --demote", demoted: action.demote });
    // Objects that could not be fetched before are not needed any more. A failure is recorded in the replica's row, and
    // is tried again.
    await catchUpToHead(context, replica, { signal, insist: true }).catch(() => {});
    return { plan, confirmation, done: true };
  }
  return await replica.mutex.runExclusive(async () => {
    const plan = await planPromote(context, replica, action.promote, signal);
    const confirmation = confirmationOf(action, plan);
    if (request.confirmation === "") return { plan, confirmation, done: false };
    check(replica.name, request.confirmation, confirmation);
    replica.applied = undefined;
    await append(context, replica, plan, { author, action: "thaw --promote", demoted: [] });
    await promoted(context, replica, plan);
    return { plan, confirmation, done: true };
  });
}

function confirmationOf(action: ThawAction, { head, headDigest, version, digest }: ThawPlan): string {
  const seen = [action, String(head), headDigest.toString("hex"), String(version), digest.toString("hex")];
  return shortHash(JSON.stringify(seen));
}

function check(name: string, given: string, due: string): void {
  if (given !== due) throw headChangedError(name);
}

function headChangedError(name: string): LockstepError {
  return new LockstepError(
    "WRITE_DROPPED",
    `The state of ${name} is no longer as it was shown; nothing was changed, look again.`,
  );
}

async function append(
  context: SyncContext,
  replica: Replica,
  { head, headDigest, version, digest, updates }: ThawPlan,
  by: { author: string; action: string; demoted: readonly string[] },
): Promise<void> {
  const request = {
    writeId: randomUUID(),
    repositoryId: replica.id,
    head,
    headDigest,
    version,
    digest,
    updates,
    ...by,
  };
  const { outcome } = await afterOldLeases(context, async () => ({
    outcome: await appendThaw(context.db, context.me, request),
  }));
  if (outcome === "fenced") throw endAsFenced(context);
  if (outcome === "missing") throw repositoryNotFoundError(replica.name);
  if (outcome === "stale") throw headChangedError(replica.name);
  context.announcer.announce(replica.id);
  context.log.warn(
    { repository: replica.name, version: String(version), ...by },
    "an operator settled which refs stay",
  );
}

/** Records that this disk holds the new version already. */
async function promoted(context: SyncContext, replica: Replica, plan: ThawPlan): Promise<void> {
  const { version, digest, updates } = plan;
  const held = (value: (update: RefUpdate) => RefValue | null): Map<RefName, RefValue> =>
    new Map(updates.flatMap((update) => (value(update) === null ? [] : [[update.name, value(update) as RefValue]])));
  await keepLost(context, replica, [{ version, givenUp: held(({ oldValue }) => oldValue) }], {
    onDisk: new Map(),
    kept: held(({ newValue }) => newValue),
  });
  const changes = new Map(updates.map(({ name, newValue }) => [name, newValue]));
  await markApplied(context, replica, { from: undefined, changes }, { version, digest });
  replica.failure = undefined;
  await recordInDatabase(context, replica);
}
