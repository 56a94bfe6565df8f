// Prepares the body of a request for git.
import type { IncomingMessage } from "node:http";
import type { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { Refusal } from "./refusal.ts";

/**
 * Returns the body, decompressed if the client compressed it. Reading fails when the connection ends before the body,
 * or when the content is not valid gzip. Throws Refusal for other encodings.
 */
export function requestBody(request: IncomingMessage): Readable {
  const encoding = request.headers["content-encoding"] ?? "identity";
  if (encoding === "identity") return request;
  if (encoding !== "gzip" && encoding !== "x-gzip")
    throw new Refusal(415, `The encoding ${JSON.stringify(encoding.slice(0, 60))} does not fit; send gzip or none.`);
  const gunzip = createGunzip();
  // Decompression may fail before anyone reads. A later reader still gets the error.
  gunzip.on("error", () => {});
  // pipe, not pipeline: invalid gzip must not close the connection, which still has to carry the answer.
  request.pipe(gunzip);
  request.once("close", () => {
    if (!request.complete) gunzip.destroy(new Error("The connection ended before the request did."));
  });
  return gunzip;
}

/**
 * Passes the chunks of a body on. It holds back the last chunk until the body has ended well, and calls `onWhole`
 * before it. A pack marks its own end, so git would act on a request whose connection or checksum fails after that.
 * Without the last bytes it cannot.
 */
export async function* lastChunkWhenWhole(body: AsyncIterable<Buffer>, onWhole: () => void): AsyncGenerator<Buffer> {
  let held: Buffer | undefined;
  for await (const chunk of body) {
    if (held) yield held;
    held = chunk;
  }
  onWhole();
  if (held) yield held;
}

/** Limits of a body while it is read. */
export interface BodyLimits {
  /** For how many milliseconds no byte may come while git waits for one. */
  readonly idleMs: number;
  /** How many bytes a request to upload-pack may have, decompressed. A push has git's limit (receive.maxInputSize). */
  readonly fetchBytes: number;
}

/** Passes the chunks of a body on. Throws Refusal: 408 when no byte came for too long, 413 when there are too many. */
export async function* limited(body: Readable, idleMs: number, bytes: number): AsyncGenerator<Buffer> {
  const chunks = body.iterator({ destroyOnReturn: false }) as AsyncIterator<Buffer>;
  for (let seen = 0; ; ) {
    const next = await inTime(chunks.next(), idleMs);
    if (next.done) return;
    seen += next.value.length;
    if (seen > bytes)
      throw new Refusal(413, `A fetch request has at most ${bytes} bytes; fetch in smaller parts.`, CLOSING);
    yield next.value;
  }
}

/** The rest of such a body is not read. */
const CLOSING = { headers: { Connection: "close" } };

async function inTime<T>(promise: Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const refusal = () => new Refusal(408, `No data came for ${Math.round(ms / 1000)} s; try again.`, CLOSING);
    timer = setTimeout(() => reject(refusal()), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
