// Objects from one device: over the pack stream, or with stock git where the device answers that it has none.
import { pipeline, type Readable, Transform } from "node:stream";
import { describe, LockstepError } from "../errors.ts";
import { receivePack } from "../git/index-pack.ts";
import { fetchWithGit } from "../git/transports/git-fetch.ts";
import { NoPackStream, type PackRequestBody } from "../git/transports/pack-stream.ts";
import type { SyncContext } from "./context.ts";
import type { FetchRequest } from "./fetch-objects.ts";
import type { Replica } from "./replica.ts";

/** A source that sends nothing for this long is given up for the next. */
const STALL_MS = 10_000;

export interface Source {
  readonly device: string;
  readonly gitAddress: string;
  readonly turn: PackRequestBody["turn"];
}

/** Returns how many bytes came. Throws SOURCE_FAILED, QUEUE_FULL, GIT_FAILED. */
export async function fetchFromSource(
  context: SyncContext,
  replica: Replica,
  source: Source,
  request: FetchRequest,
): Promise<number> {
  try {
    return await fetchOnce(context, replica, source, request);
  } catch (error) {
    context.signal.throwIfAborted();
    // A pack that builds on objects which are not here after all (a damaged disk): the whole of it repairs that too.
    const baseless = /unresolved delta|does not hold everything/.test(describe(error));
    if (!baseless || request.haves.length === 0) throw error;
    return await fetchOnce(context, replica, source, { ...request, haves: [] });
  }
}

async function fetchOnce(
  context: SyncContext,
  replica: Replica,
  source: Source,
  request: FetchRequest,
): Promise<number> {
  try {
    return await streamPack(context, replica, source, request);
  } catch (error) {
    if (!(error instanceof NoPackStream)) throw error;
    const { wants, haves, alone = false, onProgress } = request;
    return await fetchWithGit(context.git, replica.gitDir, {
      peer: { address: source.gitAddress, publicKey: error.publicKey },
      credentials: context.gitCredentials,
      name: replica.name,
      objectFormat: replica.objectFormat,
      wants,
      haves,
      alone,
      signal: context.signal,
      onProgress: (seen) => onProgress({ ...seen, bytes: 0 }),
    });
  }
}

async function streamPack(
  context: SyncContext,
  replica: Replica,
  { device, gitAddress, turn }: Source,
  { wants, haves, alone = false, version, ...request }: FetchRequest,
): Promise<number> {
  const stalled = new AbortController();
  const timer = setTimeout(() => stalled.abort(), STALL_MS);
  const signal = AbortSignal.any([context.signal, stalled.signal]);
  const progress = { phase: "receiving objects", objects: 0, totalObjects: 0, bytes: 0 };
  try {
    const onBytes = (bytes: number) => {
      timer.refresh();
      progress.bytes += bytes;
      request.onProgress({ ...progress });
    };
    const body = { repositoryId: replica.id, version: String(version), wants, haves, turn };
    const pack = context
      .openPack({ device, gitAddress }, body, signal, () => timer.refresh())
      // Once all of it is here the time is our own: resolving and walking a large pack is no stall of the source.
      .then((opened) => count(opened, onBytes, () => clearTimeout(timer)));
    const onProgress = (seen: { phase: string; objects: number; totalObjects: number }) => {
      request.onProgress({ ...Object.assign(progress, seen) });
    };
    await receivePack(context.git, replica.gitDir, { pack, wants, haves, alone, signal, onProgress });
    return progress.bytes;
  } catch (error) {
    if (!stalled.signal.aborted) {
      // Whatever still comes is not wanted any more.
      stalled.abort();
      throw error;
    }
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
