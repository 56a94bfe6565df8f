// Objects from one device: over the pack stream, or with stock git where the device answers that it has none.
import { pipeline, type Readable, Transform } from "node:stream";
import type { Version } from "../../domain.ts";
import { describe, LockstepError } from "../../errors.ts";
import { fetchWithGit } from "../../git/objects/git-fetch.ts";
import { NoPackStream } from "../../git/objects/pack-stream.ts";
import { receivePack } from "../../git/objects/receive-pack.ts";
import { Silence, STALL_MS } from "../../git/silence.ts";
import { linkSignals } from "../../io/signals.ts";
import type { SyncContext } from "../device/context.ts";
import type { CatchUpProgress, Replica } from "../device/replica.ts";
import type { Attempt, Source } from "./source-race.ts";

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

/** What is asked of one source. */
type Wanted = Pick<FetchRequest, "wants" | "haves" | "alone" | "version" | "onProgress">;

/** Returns how many bytes came. Throws SOURCE_FAILED, QUEUE_FULL, GIT_FAILED. */
export async function fetchFromSource(
  context: SyncContext,
  replica: Replica,
  source: Source,
  request: Wanted,
  attempt: Attempt,
): Promise<number> {
  try {
    return await fetchOnce(context, replica, source, request, attempt);
  } catch (error) {
    attempt.signal.throwIfAborted();
    // A pack that builds on objects which are not here after all (a damaged disk): the whole of it repairs that too.
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
  attempt: Attempt,
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
  { device, gitAddress, turn }: Source,
  { wants, haves, alone = false, version, onProgress }: Wanted,
  { signal: given, onWork, onArrival }: Attempt,
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
    silence.broken(STALL_MS);
    tell();
  };
  try {
    const body = { repositoryId: replica.id, version: String(version), wants, haves, turn };
    const pack = context
      .openPack({ device, gitAddress }, body, signal, onAlive)
      // Once all of it is here the time is our own: resolving and walking a large pack is no stall of the source.
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
    // Whatever still comes is not wanted any more.
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
  // Both ways: a source that breaks off fails the counter, whoever reads it yet or not; giving up the counter hangs up on the source.
  return pipeline(pack, counter, () => {});
}
