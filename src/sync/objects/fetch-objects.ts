// Fetches objects by exact id, from any device that holds them. A leader comes before others, a device that showed no
// work lately comes last, then the own zone, then chance. A device that is busy names others that have the objects, and
// those are asked next.
import type { Version } from "../../domain.ts";
import { describe, LockstepError } from "../../errors.ts";
import { wordsOfGit } from "../../git/git-error.ts";
import { isConnected, isWithoutObjects } from "../../git/objects/connectivity.ts";
import { diskError, isOfDisk } from "../../io/disk-errors.ts";
import type { SyncEvent } from "../../store/replica/record-replica.ts";
import { replicasOf } from "../../store/replica/replicas.ts";
import type { SourceRow } from "../../store/replica/source-rows.ts";
import type { SyncContext } from "../device/context.ts";
import type { Replica } from "../device/replica.ts";
import { type FetchRequest, fetchFromSource } from "./fetch-from-source.ts";
import { rounds } from "./fetch-rounds.ts";
import { firstToSend, type Source, type SourceAttempt, type Sources } from "./source-race.ts";
import { chooseSources, leads, SourceQueue } from "./sources.ts";

export interface Fetched {
  /** The device that sent the objects. If they were here already: this device. */
  readonly from: string;
  readonly bytes: number;
}

/** Returns the row that records a catch-up. */
export function eventOf(fetched: Fetched, fromVersion: Version, refsChanged: number, durationMs: number): SyncEvent {
  return { fromDevice: fetched.from, fromVersion, bytes: fetched.bytes, refsChanged, durationMs };
}

/**
 * Brings `wants`, and everything that they need, into the replica. Throws NO_SOURCE with the answer of each device,
 * QUEUE_FULL when one of them was only busy.
 */
export async function fetchObjects(context: SyncContext, replica: Replica, request: FetchRequest): Promise<Fetched> {
  const { parts = [], ...whole } = await withoutHeld(context, replica, request);
  if (parts.length < 2 || (await isHeldByOne(context, replica, whole)))
    return await fetchRounds(context, replica, whole);
  // All of them end before this does, even if one fails: the caller may then remove what it got.
  const ends = await Promise.allSettled(
    parts.map((part) => fetchRounds(context, replica, { ...whole, ...part, haves: request.haves })),
  );
  const failed = ends.find((end) => end.status === "rejected");
  if (failed) throw failed.reason;
  const got = ends.flatMap((end) => (end.status === "fulfilled" && end.value.bytes > 0 ? [end.value] : []));
  const from = got[0]?.from ?? context.me.device;
  return { from, bytes: got.reduce((sum, { bytes }) => sum + bytes, 0) };
}

/**
 * Returns the request without the parts whose objects are here: they were pushed here, or this device holds them for
 * another one. Objects that build on those come without them.
 */
async function withoutHeld(context: SyncContext, replica: Replica, request: FetchRequest): Promise<FetchRequest> {
  const { parts = [] } = request;
  const held = new Set(parts.filter(({ lookHere }) => lookHere).flatMap(({ wants }) => wants));
  if (held.size === 0) return request;
  if (!(await isHere(context, replica, { ...request, wants: [...held] }))) return request;
  const others = (wants: readonly string[]) => wants.filter((want) => !held.has(want));
  const left = parts.map((part) => ({ ...part, wants: others(part.wants) })).filter(({ wants }) => wants.length > 0);
  return {
    ...request,
    // The devices that have the last part need not have those that are here.
    ...(left.length === 1 ? left[0] : {}),
    wants: others(request.wants),
    haves: [...request.haves, ...held],
    parts: left,
    lookHere: request.lookHere,
  };
}

/** Returns whether another live device is at the wanted version, so that it has all objects. */
async function isHeldByOne(
  context: SyncContext,
  replica: Replica,
  { version, sources }: FetchRequest,
): Promise<boolean> {
  const rows = sources ?? (await replicasOf(context.db, replica.id));
  return chooseSources(context, rows, { version, writers: [], prefer: undefined }).some(
    (row) => row.version >= version,
  );
}

async function fetchRounds(context: SyncContext, replica: Replica, request: FetchRequest): Promise<Fetched> {
  let fetched: Fetched = { from: context.me.device, bytes: 0 };
  let { sources } = request;
  for (const round of rounds(request)) {
    const { from, bytes } = await fetchRound(context, replica, { ...round, sources });
    // The round may have taken long.
    sources = undefined;
    if (bytes > 0) fetched = { from, bytes: fetched.bytes + bytes };
  }
  return fetched;
}

async function fetchRound(context: SyncContext, replica: Replica, request: FetchRequest): Promise<Fetched> {
  if (request.lookHere && (await isHere(context, replica, request))) return { from: context.me.device, bytes: 0 };
  const rows: readonly SourceRow[] = request.sources ?? (await replicasOf(context.db, replica.id));
  const { slowSources } = context.replicas;
  const queue = new SourceQueue(chooseSources({ ...context, slowSources }, rows, request));
  const refusals: { device: string; error: unknown }[] = [];
  const sources: Sources = {
    next: (fresh) => queue.next(fresh),
    putBack(source) {
      slowSources.add(source.device);
      queue.putBack(source);
      context.log.info({ repository: replica.name, fromDevice: source.device }, "a source is slow, another one sends");
    },
    refused(source, error) {
      const { device } = source;
      // Another device cannot help when the disk of this one fails.
      if (isOfDisk(error)) throw diskError(error) ?? error;
      refusals.push({ device, error });
      const line = { repository: replica.name, fromDevice: device, err: describe(error) };
      if (isBusy(error)) {
        queue.sentOn(source, (error.details.ask ?? "").split(" ").filter(Boolean));
        context.log.debug(line, "a source is busy, trying another");
      } else context.log.warn(line, "a source failed, trying the next");
    },
  };
  const ask = async (source: Source, attempt: SourceAttempt) => {
    const asking = replica.flight?.asking;
    asking?.add(source.device);
    try {
      return await fetchFromSource(context, replica, source, request, attempt);
    } finally {
      asking?.delete(source.device);
    }
  };
  const sent = await firstToSend(sources, ask, request.signal);
  if (sent === undefined) {
    const away = rows.filter((row) => !row.live && row.device !== context.me.device && leads(row, request));
    throw noSourceError(replica, request, refusals, away);
  }
  slowSources.delete(sent.source.device);
  return { from: sent.source.device, bytes: sent.bytes };
}

function noSourceError(
  replica: Replica,
  { version }: FetchRequest,
  refusals: readonly { device: string; error: unknown }[],
  away: readonly SourceRow[],
): LockstepError {
  const said = refusals.map(({ device, error }) => `${device}: ${describe(error)}`).join("; ");
  const details = { repository: replica.name, version: String(version) };
  if (refusals.some(({ error }) => isBusy(error))) {
    const busy = `The devices that hold version ${version} of ${replica.name} are busy (${said}); try again.`;
    return new LockstepError("QUEUE_FULL", busy, { details });
  }
  const what =
    refusals.length > 0
      ? `No device could send version ${version} of ${replica.name} (${said})`
      : `No other device that holds version ${version} of ${replica.name} is live`;
  const cause = refusals.map(({ error }) => error).find((error) => wordsOfGit(error) !== undefined);
  return new LockstepError("NO_SOURCE", `${what}; ${whatToDo(replica.name, refusals.length > 0, away)}.`, {
    cause,
    details: { ...details, away: away.map(({ device }) => device).join(" ") },
  });
}

function whatToDo(name: string, asked: boolean, away: readonly SourceRow[]): string {
  if (away.length > 0) {
    const holders = away.map(({ device, awaySince }) => `${device} (away${since(awaySince)})`).join(" and ");
    const demote = `lockstep thaw ${name} --demote ${away.map(({ device }) => device).join(",")}`;
    return `${holders} should have it: start one of them, or, if they are lost, give up what only they have with \`${demote}\``;
  }
  return asked
    ? `mend or start one of them and try again, \`lockstep repo show ${name}\` says who has it`
    : "start one of its devices";
}

/** Returns " since 2026-01-02T03:04:05.000Z", or nothing for null. */
export function since(at: Date | null): string {
  return at === null ? "" : ` since ${at.toISOString()}`;
}

function isBusy(error: unknown): error is LockstepError {
  return error instanceof LockstepError && error.code === "QUEUE_FULL";
}

async function isHere(
  { git }: SyncContext,
  replica: Replica,
  { wants, haves, signal }: FetchRequest,
): Promise<boolean> {
  if (wants.length > 0 && (await isWithoutObjects(replica.gitDir))) return false;
  return await isConnected(git, replica.gitDir, wants, haves, { signal });
}
