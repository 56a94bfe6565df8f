// Reads the whole body of a request from another device: no work begins before the peer has said what it wants.
import type { IncomingMessage } from "node:http";
import type { Readable } from "node:stream";
import { LockstepError } from "../errors.ts";
import { WAITS } from "../waits.ts";

/** Enough for two million ids of the long kind. */
const BODY_LIMIT = 160 << 20;

/**
 * Returns the whole body. `body` is the decoded body of the request. Throws INVALID_REQUEST when it is too long, and
 * errors of reading.
 */
export async function wholeBody(request: IncomingMessage, body: Readable = request): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  const stalled = setTimeout(() => request.socket.destroy(), WAITS.requestStallMs);
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      stalled.refresh();
      bytes += chunk.length;
      if (bytes > BODY_LIMIT) throw new LockstepError("INVALID_REQUEST", "The request is too long.");
      chunks.push(chunk);
    }
  } finally {
    clearTimeout(stalled);
  }
  return Buffer.concat(chunks);
}
