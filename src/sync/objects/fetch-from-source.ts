// Fetches objects from one device: over the pack stream, or with stock git when the device has no pack stream.
import { pipeline, type Readable, Transform } from "node:stream";
import type { Version } from "../../domain.ts";
import { describe, LockstepError } from "../../errors.ts";
import { fetchWithGit } from "../../git/objects/git-fetch.ts";
import { receivePack } from "../../git/objects/receive-pack.ts";
import { NoPackStream } from "../../git/peers/pack-stream.ts";
import { Silence } from "../../git/silence.ts";
import { linkSignals } from "../../io/signals.ts";
import type { SourceRow } from "../../store/replica/source-rows.ts";
import { WAITS } from "../../waits.ts";
import type { SyncContext } from "../device/context.ts";
import type { CatchUpProgress, Replica } from "../device/replica.ts";
import type { Source, SourceAttempt } from "./source-race.ts";

export interface FetchRequest {
  readonly wants: readonly string[];
  readonly haves: readonly string[];
  /** Replicas at this version hold all wanted objects. */
  readonly version: Version;
  /** Further devices that hold them, even if their rows do not say so yet. */
  readonly writers: readonly string[];
  /** The parts that different devices hold, if no device may hold all of it. */
  readonly parts?: readonly Part[];
  /** True: first look whether everything is here already. */
  readonly lookHere: boolean;
  /** True: fetch everything and check the pack by itself, because objects here may be damaged. */
  readonly alone?: boolean;
  readonly prefer: string | undefined;
  /** The replicas of the repository as of a moment ago. undefined: the database is asked for them. */
  readonly sources?: readonly SourceRow[];
  readonly onProgress: (progress: CatchUpProgress) => void;
  /** Aborts when those who wait for the objects give up. */
  readonly signal: AbortSignal;
}

/** Wanted objects that came with the same writes. */
export type Part = Pick<FetchRequest, "wants" | "version" | "writers" | "lookHere">;

/** The part of a request that one source needs. */
interface Wanted extends Pick<FetchRequest, "wants" | "haves" | "alone" | "version" | "onProgress"> {
  /** True: the source has asked for copies of these objects. */
  readonly copy?: boolean;
}

/** Returns how many bytes came. Throws SOURCE_FAILED, QUEUE_FULL, GIT_FAILED, and CopyNotWanted. */
export async function fetchFromSource(
  context: SyncContext,
  replica: Replica,
  source: Source,
  request: Wanted,
  attempt: SourceAttempt,
): Promise<number> {
  try {
    return await fetchOnce(context, replica, source, request, attempt);
  } catch (error) {
    attempt.signal.throwIfAborted();
    // The pack builds on objects that are not here after all, because the disk is damaged. A pack with everything
    // repairs that too.
    const baseless = /unresolved delta|does not hold everything/.test(describe(error));
    if (!baseless || request.haves.length === 0) throw error;
    return await fetchOnce(context, replica, source, { ...request, haves: [] }, attempt);
  }
}

async function fetchOnce(
  context: SyncContext,
  replica: Replica,
  source: Source,
  request: Wanted,
  attempt: SourceAttempt,
): Promise<number> {
  try {
    return await streamPack(context, replica, source, request, attempt);
  } catch (error) {
    if (!(error instanceof NoPackStream)) throw error;
    const { wants, haves, alone = false, onProgress } = request;
    const { onWork, ...rest } = attempt;
    const progress = { phase: "counting objects", objects: 0, totalObjects: 0, bytes: 0 };
    return await fetchWithGit(context.git, replica.gitDir, {
      peer: { address: source.gitAddress, publicKey: error.publicKey },
      credentials: context.gitCredentials,
      name: replica.name,
      objectFormat: replica.objectFormat,
      wants,
      haves,
      alone,
      ...rest,
      onWork() {
        onWork();
        onProgress({ ...progress });
      },
      onProgress: (seen) => onProgress({ ...Object.assign(progress, seen) }),
    });
  }
}

async function streamPack(
  context: SyncContext,
  replica: Replica,
  source: Source,
  { wants, haves, alone = false, version, onProgress, copy = false }: Wanted,
  { signal: given, onWork, onArrival }: SourceAttempt,
): Promise<number> {
  using silence = new Silence();
  using link = linkSignals([given, silence.signal]);
  const { signal } = link;
  const progress = { phase: "receiving objects", objects: 0, totalObjects: 0, bytes: 0 };
  const tell = () => {
    onWork();
    onProgress({ ...progress });
  };
  const onAlive = () => {
    silence.broken();
    tell();
  };
  const onBytes = (bytes: number) => {
    if (progress.bytes === 0) onArrival();
    progress.bytes += bytes;
    silence.broken(WAITS.gitStallMs);
    tell();
  };
  try {
    const body = { repositoryId: replica.id, version: String(version), wants, haves, visit: source.visit, copy };
    const pack = context
      .openPack(source, body, signal, onAlive)
      // Once the whole pack is here, the source no longer has to show work: to resolve and walk a large pack takes time
      // here.
      .then((opened) => count(opened, silence, onBytes));
    const onIndexed = (seen: { phase: string; objects: number; totalObjects: number }) => {
      Object.assign(progress, seen);
      tell();
    };
    await receivePack(context.git, replica.gitDir, {
      pack,
      wants,
      haves,
      alone,
      signal,
      onWork: tell,
      onProgress: onIndexed,
    });
    return progress.bytes;
  } catch (error) {
    // The rest of the pack is not needed any more.
    link.abort();
    if (!silence.signal.aborted) throw error;
    const what = progress.bytes > 0 ? "nothing came" : "it showed no work";
    throw new LockstepError("SOURCE_FAILED", `${what} for ${silence.limitMs / 1000} s`, { cause: error });
  }
}

function count(pack: Readable, silence: Silence, onBytes: (bytes: number) => void): Readable {
  const counter = new Transform({
    transform(chunk: Buffer, _, done) {
      onBytes(chunk.length);
      done(null, chunk);
    },
    flush(done) {
      silence[Symbol.dispose]();
      done();
    },
  });
  silence.isOurs = () => counter.writableNeedDrain;
  // Errors go both ways. A source that breaks off fails the counter, even if nobody reads it yet. If the counter is
  // given up, the connection to the source ends.
  return pipeline(pack, counter, () => {});
}
