// Tells requests for refs from requests for objects. In protocol version 2 both are posts to the same address.
import type { Readable } from "node:stream";
import { isVersion2 } from "../../smart-http/protocol.ts";
import { damagedBodyRefusal, Refusal } from "../../smart-http/refusal.ts";
import { type BodyLimits, limited } from "../../smart-http/request-body.ts";
import type { GitRequest } from "../../smart-http/route.ts";

/** For what a client asks: refs, or objects. A clone has no objects yet. */
export type Wish = "refs" | "clone" | "fetch";

/** What the pull log calls a request. */
export type ReadFor = Wish | "push";

const LS_REFS = Buffer.from("0014command=ls-refs");
/** git names prefixes of some 65,536 bytes at most, and asks for all refs beyond that (git's fetch-pack). */
const LARGEST = 1 << 17;

/** The begun body of a request. */
export interface Begun {
  /** The whole body, if it asks for refs. */
  readonly lsRefs: Buffer | undefined;
  /** The body from its first byte on. undefined: the request has none. */
  readonly body: AsyncIterable<Buffer> | undefined;
  /** undefined: not known. */
  readonly wish?: Wish;
}

/**
 * Begins to read the body of a request within its limits. A request for refs is read whole. Throws Refusal, other
 * errors of reading, and the signal's reason.
 */
export async function beginBody(
  asked: GitRequest,
  protocol: string | undefined,
  received: Readable | undefined,
  { idleMs, fetchBytes, signal }: BodyLimits & { signal: AbortSignal },
): Promise<Begun> {
  if (received === undefined) return { lsRefs: undefined, body: undefined };
  const isFetch = asked.service === "upload-pack";
  const chunks = limited(received, idleMs, isFetch ? fetchBytes : Number.POSITIVE_INFINITY);
  if (!isFetch || !isVersion2(asked.service, protocol)) return { lsRefs: undefined, body: chunks };
  return await beginFetch(chunks, signal).catch((error: unknown) => {
    throw error instanceof Refusal || signal.aborted ? error : damagedBodyRefusal(error);
  });
}

/** Reads a body until it is clear for what it asks. */
async function beginFetch(chunks: AsyncGenerator<Buffer>, signal: AbortSignal): Promise<Begun> {
  const left = new Promise<never>((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
  left.catch(() => {});
  const read: Buffer[] = [];
  let length = 0;
  let asksForRefs: boolean | undefined;
  for (;;) {
    const next = await Promise.race([chunks.next(), left]);
    if (!next.done) {
      read.push(next.value);
      length += next.value.length;
    }
    if (asksForRefs === undefined && (next.done || length >= LS_REFS.length))
      asksForRefs = Buffer.concat(read).subarray(0, LS_REFS.length).equals(LS_REFS);
    if (next.done || asksForRefs === false || length > LARGEST) {
      const lsRefs = next.done && asksForRefs ? Buffer.concat(read) : undefined;
      return { lsRefs, body: followedBy(read, chunks), wish: wishOf(asksForRefs, read) };
    }
  }
}

/**
 * Returns what the pull log calls a request. undefined: it has no refs, as the advertisement of version 2, or a hook
 * tells of it.
 */
export function whatOf(
  { service, advertisement }: GitRequest,
  protocol: string | undefined,
  wish: Wish | undefined,
): ReadFor | undefined {
  if (service === "receive-pack") return advertisement ? "push" : undefined;
  if (!advertisement) return wish ?? "fetch";
  return isVersion2(service, protocol) ? undefined : "refs";
}

/** Returns for what a request asks, as far as its first bytes tell. A short one without objects is a clone. */
function wishOf(asksForRefs: boolean | undefined, read: readonly Buffer[]): Wish {
  if (asksForRefs) return "refs";
  const isShort = read.length === 1 && read[0]?.includes("0009done") && !read[0].includes("have ");
  return isShort ? "clone" : "fetch";
}

async function* followedBy(start: readonly Buffer[], rest: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  yield* start;
  yield* rest;
}
