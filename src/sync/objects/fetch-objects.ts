// Objects by exact id, from any device that holds them: a leader before others, one that has shown no work lately last, the own zone
// first, at random among equals. A device that is busy names others that have them, and those come next.
import { randomInt } from "node:crypto";
import type { Version } from "../../domain.ts";
import { describe, LockstepError } from "../../errors.ts";
import { existingObjects, isConnected } from "../../git/objects/connectivity.ts";
import { isOfDisk, ofDisk } from "../../io/disk-errors.ts";
import type { SyncEvent } from "../../store/record-replica.ts";
import { type ReplicaRow, replicasOf } from "../../store/replicas.ts";
import type { SyncContext } from "../device/context.ts";
import type { CatchUpProgress, Replica } from "../device/replica.ts";
import type { SlowSources } from "../device/slow-sources.ts";
import { fetchFromSource, type Source } from "./fetch-from-source.ts";
import { rounds } from "./fetch-rounds.ts";
import { type Attempt, firstToSend, type Sources } from "./source-race.ts";

export interface FetchRequest {
  readonly wants: readonly string[];
  readonly haves: readonly string[];
  /** Replicas at this version hold all of it. */
  readonly version: Version;
  /** So do the devices that wrote it, whatever their rows say yet. */
  readonly writers: readonly string[];
  /** See first whether everything is here already. */
  readonly lookHere: boolean;
  /** All of it, and by itself: what is here may be damaged. */
  readonly alone?: boolean;
  readonly prefer: string | undefined;
  readonly onProgress: (progress: CatchUpProgress) => void;
  /** The patience of those who wait. */
  readonly signal: AbortSignal;
}

export interface Fetched {
  /** The device that sent the objects; this one when they were here. */
  readonly from: string;
  readonly bytes: number;
}

/** The row that tells of a catch-up. */
export function eventOf(fetched: Fetched, fromVersion: Version, refsChanged: number, durationMs: number): SyncEvent {
  return { fromDevice: fetched.from, fromVersion, bytes: fetched.bytes, refsChanged, durationMs };
}

/**
 * Brings `wants` and everything they need into the replica. Throws NO_SOURCE with what each device answered, QUEUE_FULL when one
 * of them will do later.
 */
export async function fetchObjects(context: SyncContext, replica: Replica, request: FetchRequest): Promise<Fetched> {
  let fetched: Fetched = { from: context.me.device, bytes: 0 };
  for (const round of rounds(request)) {
    const { from, bytes } = await fetchRound(context, replica, round);
    if (bytes > 0) fetched = { from, bytes: fetched.bytes + bytes };
  }
  return fetched;
}

async function fetchRound(context: SyncContext, replica: Replica, request: FetchRequest): Promise<Fetched> {
  if (request.lookHere && (await isHere(context, replica, request))) return { from: context.me.device, bytes: 0 };
  const rows = await replicasOf(context.db, replica.id);
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
      // No other device can do anything about this one's disk.
      if (isOfDisk(error)) throw ofDisk(error) ?? error;
      refusals.push({ device, error });
      const line = { repository: replica.name, fromDevice: device, err: describe(error) };
      if (isBusy(error)) {
        queue.sentOn(source, (error.details.ask ?? "").split(" ").filter(Boolean));
        context.log.debug(line, "a source is busy, trying another");
      } else context.log.warn(line, "a source failed, trying the next");
    },
  };
  const ask = (source: Source, attempt: Attempt) => fetchFromSource(context, replica, source, request, attempt);
  const sent = await firstToSend(sources, ask, request.signal);
  if (sent === undefined) {
    const away = rows.filter((row) => !row.live && row.device !== context.me.device && leads(row, request));
    throw noSource(replica, request, refusals, away);
  }
  slowSources.delete(sent.source.device);
  return { from: sent.source.device, bytes: sent.bytes };
}

function noSource(
  replica: Replica,
  { version }: FetchRequest,
  refusals: readonly { device: string; error: unknown }[],
  away: readonly ReplicaRow[],
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
  return new LockstepError("NO_SOURCE", `${what}; ${whatToDo(replica.name, refusals.length > 0, away)}.`, {
    details: { ...details, away: away.map(({ device }) => device).join(" ") },
  });
}

function whatToDo(name: string, asked: boolean, away: readonly ReplicaRow[]): string {
  if (away.length > 0) {
    const holders = away.map(({ device, awaySince }) => `${device} (away${since(awaySince)})`).join(" and ");
    const demote = `lockstep thaw ${name} --demote ${away.map(({ device }) => device).join(",")}`;
    return `${holders} should have it: start one of them, or, if they are lost, give up what only they have with \`${demote}\``;
  }
  return asked
    ? `mend or start one of them and try again, \`lockstep repo show ${name}\` says who has it`
    : "start one of its devices";
}

/** " since 2026-01-02T03:04:05.000Z", or nothing where nobody knows. */
export function since(at: Date | null): string {
  return at === null ? "" : ` since ${at.toISOString()}`;
}

function isBusy(error: unknown): error is LockstepError {
  return error instanceof LockstepError && error.code === "QUEUE_FULL";
}

/** The order in which to ask, which changes with the answers. */
class SourceQueue {
  readonly #all: readonly ReplicaRow[];
  #waiting: Source[];
  readonly #asked = new Set<string>();

  constructor(rows: readonly ReplicaRow[]) {
    this.#all = rows;
    this.#waiting = rows.map((row) => ({ ...row, turn: "first" }));
  }

  /** `fresh`: passes over those that have been asked. */
  next(fresh: boolean): Source | undefined {
    const source = this.#waiting.find(({ device }) => !fresh || !this.#asked.has(device));
    if (source === undefined) return undefined;
    this.#waiting = this.#waiting.filter((each) => each !== source);
    this.#asked.add(source.device);
    return source;
  }

  putBack(source: Source): void {
    this.#waiting.push(source);
  }

  /** `source` is busy. If it named `others`, those come next, each once, and then it again. */
  sentOn(source: Source, others: readonly string[]): void {
    if (others.length === 0 || source.turn === "last") return;
    const named = this.#all.filter(({ device }) => others.includes(device) && !this.#asked.has(device));
    const rest = this.#waiting.filter(({ device }) => !named.some((each) => each.device === device));
    const referred = named.map((row): Source => ({ ...row, turn: "referred" }));
    this.#waiting = [...referred, { ...source, turn: "last" }, ...rest];
  }
}

async function isHere(
  context: SyncContext,
  replica: Replica,
  { wants, haves, signal }: FetchRequest,
): Promise<boolean> {
  const { git } = context;
  const present = await existingObjects(git, replica.gitDir, wants, signal);
  return present.length === wants.length && (await isConnected(git, replica.gitDir, wants, haves, { signal }));
}

/** Every other live device with a replica, in the order in which to ask. Pure but for chance among equals. */
export function chooseSources(
  context: Pick<SyncContext, "me" | "zone"> & { readonly slowSources?: SlowSources },
  rows: readonly ReplicaRow[],
  request: Pick<FetchRequest, "version" | "writers" | "prefer">,
): ReplicaRow[] {
  const rank = (row: ReplicaRow) =>
    (row.device === request.prefer ? 0 : 8) +
    (leads(row, request) ? 0 : 4) +
    (context.slowSources?.has(row.device) ? 2 : 0) +
    (row.zone === context.zone ? 0 : 1);
  return rows
    .filter((row) => row.live && row.device !== context.me.device && row.gitAddress !== "")
    .map((row) => ({ row, rank: rank(row), chance: randomInt(1 << 30) }))
    .sort((a, b) => a.rank - b.rank || a.chance - b.chance)
    .map(({ row }) => row);
}

/** It holds all of the wanted version, as far as is known. */
function leads(row: ReplicaRow, { version, writers }: Pick<FetchRequest, "version" | "writers">): boolean {
  return row.version >= version || writers.includes(row.device);
}
