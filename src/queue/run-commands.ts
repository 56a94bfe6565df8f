// Carries out the commands of this device. One command at a time runs per replica. The state of the replica is read
// before each command, not once for many: another command may have changed it meanwhile.
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { crashPoint } from "../crash-points.ts";
import type { ReplicaState } from "../domain.ts";
import { firstError } from "../errors.ts";
import { diskError } from "../io/disk-errors.ts";
import { type Command, type CommandEnd, endCommand, type Lane, startCommand } from "../store/command/commands.ts";
import { type CommandedReplica, commandedReplica } from "../store/command/find-commands.ts";
import { FollowPlaces } from "../sync/catch-up/follow-places.ts";
import type { SyncContext } from "../sync/device/context.ts";
import { tellFailure } from "../sync/lease/tell-outage.ts";
import { WAITS } from "../waits.ts";
import { endOfError } from "./end-of-error.ts";
import { performAdoption } from "./perform-adoption.ts";
import type { Performer } from "./performer.ts";
import { PERFORMERS } from "./performers.ts";
import type { Wakeups } from "./wakeups.ts";

/**
 * How many commands of a lane run at once. In the first lane only those count for long that have just begun, because
 * slow ones mostly wait for a source (FollowPlaces).
 */
const PLACES: Readonly<Record<Lane, number>> = { heavy: 1, first: 16, again: 4 };

/** The commands of a repository that was removed. */
const OF_REMOVED: readonly string[] = ["release", "destroy"];

/** Runs commands until `stopping` aborts. Resolves when those under way have ended too. */
export async function runCommands(context: SyncContext, wakeups: Wakeups, stopping: AbortSignal): Promise<void> {
  const lanes = Object.keys(PLACES) as Lane[];
  await Promise.all(lanes.map((lane) => runLane(context, lane, wakeups, stopping)));
}

async function runLane(context: SyncContext, lane: Lane, wakeups: Wakeups, stopping: AbortSignal): Promise<void> {
  const underWay = new Set<Promise<void>>();
  const places = new FollowPlaces();
  while (!stopping.aborted) {
    const news = wakeups.next(WAITS.commandPollMs, stopping);
    const place = underWay.size < PLACES[lane] ? places.take(lane !== "first", wakeups.wake) : undefined;
    const command = place && (await startNext(context, lane));
    if (command === undefined) {
      place?.[Symbol.dispose]();
      await Promise.race([...underWay, news]);
      continue;
    }
    const done = carryOut(context, command).finally(() => {
      place?.[Symbol.dispose]();
      underWay.delete(done);
      // Another command may wait for the same replica in another lane.
      wakeups.wake();
    });
    underWay.add(done);
  }
  await Promise.all(underWay);
}

/** Starts the next command. Asks again, as the same attempt, while the database does not answer. */
async function startNext(context: SyncContext, lane: Lane): Promise<Command | undefined> {
  for (const attempt = randomUUID(); !context.signal.aborted; ) {
    try {
      return await startCommand(context.db, context.me, lane, attempt);
    } catch (error) {
      if (!context.signal.aborted) tellFailure(context, error, "could not ask for commands");
      await sleep(WAITS.commandDatabaseMs, undefined, { signal: context.signal }).catch(() => {});
    }
  }
  return undefined;
}

async function carryOut(context: SyncContext, command: Command): Promise<void> {
  const startedAt = performance.now();
  await crashPoint("command.started");
  const end = await performOnce(context, command);
  await crashPoint("command.performed");
  if (end !== undefined) await record(context, command, end);
  await crashPoint("command.ended");
  context.log.info(
    {
      command: command.command,
      commandId: command.id,
      repository: command.repository,
      state: end?.state ?? "done",
      err: end?.error,
      durationMs: Math.round(performance.now() - startedAt),
    },
    "carried out a command",
  );
}

/** Carries a command out. Returns how it ended. undefined: its performer has recorded that. Never rejects. */
async function performOnce(context: SyncContext, command: Command): Promise<CommandEnd | undefined> {
  const performer = PERFORMERS[command.command];
  const isAdoption = command.command === "adopt";
  if (performer === undefined && !isAdoption)
    return { state: "failed", error: `This sidecar cannot carry out ${command.command}.` };
  try {
    if (performer === undefined) return await performAdoption(context, command);
    const found = await findWork(context, command, performer.states);
    if ("nothing" in found) return { state: "superseded", error: found.nothing };
    const performed = await performer.perform(context, command, context.replicas.get(found.replica), context.signal);
    if (performed.recorded) return undefined;
    return { state: "done", outcome: performed.outcome, changed: performed.changed };
  } catch (thrown) {
    if (context.signal.aborted) return { state: "queued", error: "The sidecar was stopped meanwhile." };
    return await endAfterError(context, command, performer, firstError(thrown));
  }
}

/** Returns how a command ends whose work threw an error. Never rejects. */
async function endAfterError(
  context: SyncContext,
  command: Command,
  performer: Performer | undefined,
  thrown: unknown,
): Promise<CommandEnd> {
  let error = diskError(thrown) ?? thrown;
  try {
    // If the repository was removed meanwhile, or the copy given up, the error is dropped. If the replica is broken
    // now, the error is kept.
    const found = performer && (await findWork(context, command, [...performer.states, "broken"]));
    if (found !== undefined && "nothing" in found) return { state: "superseded", error: found.nothing };
  } catch (failure) {
    error = failure;
  }
  return endOfError(command, error, performer?.failures);
}

/** Returns the replica of a command. If there is nothing to do, returns why. Throws DATABASE_UNAVAILABLE. */
async function findWork(
  context: SyncContext,
  { command, repositoryId }: Command,
  states: readonly ReplicaState[],
): Promise<{ replica: CommandedReplica } | { nothing: string }> {
  const replica =
    repositoryId === null ? undefined : await commandedReplica(context.db, context.me.device, repositoryId);
  if (replica === undefined) return { nothing: "The device has no replica of the repository." };
  if (replica.removed && !OF_REMOVED.includes(command)) return { nothing: "The repository was removed." };
  if (!states.includes(replica.state))
    return { nothing: `The replica is ${replica.state}, so there is nothing to do.` };
  return { replica };
}

/** Records the outcome. While the database is away, asks again: no other sidecar can record it. */
async function record(context: SyncContext, command: Command, end: CommandEnd): Promise<void> {
  for (;;) {
    try {
      // false: an earlier try took effect and its answer was lost, or another incarnation has the device.
      await endCommand(context.db, context.me, command.id, end);
      return;
    } catch (error) {
      // The next incarnation starts the command again.
      if (context.signal.aborted) return;
      tellFailure(context, error, "could not record the outcome of a command");
      await sleep(WAITS.commandDatabaseMs, undefined, { signal: context.signal }).catch(() => {});
    }
  }
}
