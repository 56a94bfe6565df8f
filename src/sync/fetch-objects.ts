// Objects by exact id, from any device that holds them: a leader before others, the own zone first, at random among equals.
import { randomInt } from "node:crypto";
import { pipeline, type Readable, Transform } from "node:stream";
import { type RefValue, SYMREF_PREFIX, type Version } from "../domain.ts";
import { describe, LockstepError } from "../errors.ts";
import { existingObjects, isConnected, receivePack } from "../git/quarantine.ts";
import { type ReplicaRow, replicasOf, type SyncEvent } from "../store/replicas.ts";
import type { SyncContext } from "./context.ts";
import type { CatchUpProgress, Replica } from "./replica.ts";

/** A source that sends nothing for this long is given up for the next. */
const STALL_MS = 10_000;

export interface FetchRequest {
  readonly wants: readonly string[];
  readonly haves: readonly string[];
  /** Replicas at this version hold all of it. */
  readonly version: Version;
  /** So do the devices that wrote it, whatever their rows say yet. */
  readonly writers: readonly string[];
  /** See first whether everything is here already. */
  readonly lookHere: boolean;
  readonly prefer: string | undefined;
  readonly onProgress: (progress: CatchUpProgress) => void;
}

export interface Fetched {
  /** The device that sent the objects; this one when they were here. */
  readonly from: string;
  readonly bytes: number;
}

/** The row that tells of a catch-up. */
export function eventOf(fetched: Fetched, fromVersion: Version, refsChanged: number, startedAt: number): SyncEvent {
  return {
    fromDevice: fetched.from,
    fromVersion,
    bytes: fetched.bytes,
    refsChanged,
    durationMs: performance.now() - startedAt,
  };
}

/** Brings `wants` and everything they need into the replica. Throws NO_SOURCE with what each device answered. */
export async function fetchObjects(context: SyncContext, replica: Replica, request: FetchRequest): Promise<Fetched> {
  const here = { from: context.me.device, bytes: 0 };
  if (request.wants.length === 0 || (request.lookHere && (await isHere(context, replica, request)))) return here;
  const sources = chooseSources(context, await replicasOf(context.db, replica.id), request);
  const refusals: string[] = [];
  for (const source of sources) {
    try {
      const bytes = await fetchFrom(context, replica, source, request);
      return { from: source.device, bytes };
    } catch (error) {
      context.signal.throwIfAborted();
      refusals.push(`${source.device}: ${describe(error)}`);
      context.log.warn(
        { repository: replica.name, fromDevice: source.device, err: describe(error) },
        "a source failed, trying the next",
      );
    }
  }
  throw new LockstepError(
    "NO_SOURCE",
    refusals.length > 0
      ? `No device could send version ${request.version} of ${replica.name} (${refusals.join("; ")}).`
      : `No other device that holds version ${request.version} of ${replica.name} is live; start one of its devices.`,
    { details: { repository: replica.name, version: String(request.version) } },
  );
}

async function isHere(context: SyncContext, replica: Replica, { wants, haves }: FetchRequest): Promise<boolean> {
  const { git, signal } = context;
  const present = await existingObjects(git, replica.gitDir, wants, signal);
  return present.length === wants.length && (await isConnected(git, replica.gitDir, wants, haves, { signal }));
}

/** Every other live device with a replica, in the order in which to ask. Pure but for chance among equals. */
export function chooseSources(
  context: Pick<SyncContext, "me" | "zone">,
  rows: readonly ReplicaRow[],
  request: Pick<FetchRequest, "version" | "writers" | "prefer">,
): ReplicaRow[] {
  const rank = (row: ReplicaRow) => {
    const leads = row.version >= request.version || request.writers.includes(row.device);
    return (row.device === request.prefer ? 0 : 4) + (leads ? 0 : 2) + (row.zone === context.zone ? 0 : 1);
  };
  return rows
    .filter((row) => row.live && row.device !== context.me.device && row.gitAddress !== "")
    .map((row) => ({ row, rank: rank(row), chance: randomInt(1 << 30) }))
    .sort((a, b) => a.rank - b.rank || a.chance - b.chance)
    .map(({ row }) => row);
}

async function fetchFrom(
  context: SyncContext,
  replica: Replica,
  source: ReplicaRow,
  request: FetchRequest,
): Promise<number> {
  try {
    return await streamPack(context, replica, source, request, request.haves);
  } catch (error) {
    context.signal.throwIfAborted();
    // A pack that builds on objects which are not here after all (a damaged disk): the whole of it repairs that too.
    const baseless = /unresolved delta|does not hold everything/.test(describe(error));
    if (!baseless || request.haves.length === 0) throw error;
    return await streamPack(context, replica, source, request, []);
  }
}

async function streamPack(
  context: SyncContext,
  replica: Replica,
  source: ReplicaRow,
  request: FetchRequest,
  haves: readonly string[],
): Promise<number> {
  const stalled = new AbortController();
  const timer = setTimeout(() => stalled.abort(), STALL_MS);
  const signal = AbortSignal.any([context.signal, stalled.signal]);
  const progress = { phase: "receiving objects", objects: 0, totalObjects: 0, bytes: 0 };
  try {
    const peer = { device: source.device, gitAddress: source.gitAddress };
    const packRequest = { repositoryId: replica.id, wants: request.wants, haves };
    const pack = await context.openPack(peer, packRequest, signal);
    const onBytes = (bytes: number) => {
      timer.refresh();
      progress.bytes += bytes;
      request.onProgress({ ...progress });
    };
    // Once all of it is here the time is our own: resolving and walking a large pack is no stall of the source.
    const counted = count(pack, onBytes, () => clearTimeout(timer));
    const onProgress = (seen: { phase: string; objects: number; totalObjects: number }) => {
      request.onProgress({ ...Object.assign(progress, seen) });
    };
    await receivePack(context.git, replica.gitDir, { pack: counted, wants: request.wants, haves, signal, onProgress });
    return progress.bytes;
  } catch (error) {
    if (!stalled.signal.aborted) throw error;
    throw new LockstepError("SOURCE_FAILED", `nothing came for ${STALL_MS / 1000} s`, { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

function count(pack: Readable, onBytes: (bytes: number) => void, onEnd: () => void): Readable {
  const counter = new Transform({
    transform(chunk: Buffer, _, done) {
      onBytes(chunk.length);
      done(null, chunk);
    },
    flush(done) {
      onEnd();
      done();
    },
  });
  // Both ways: a source that breaks off fails the counter, whoever reads it yet or not; giving up the counter hangs up on the source.
  return pipeline(pack, counter, () => {});
}

/** The object ids among what refs hold or held, each once. */
export function objectIds(values: Iterable<RefValue | null>): string[] {
  const ids = new Set<string>();
  for (const value of values) if (value && !value.startsWith(SYMREF_PREFIX)) ids.add(value);
  return [...ids];
}
