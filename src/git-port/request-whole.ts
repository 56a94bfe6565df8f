// Reads the whole body of a request from another device: no work begins before the peer has said what it wants.
import type { IncomingMessage } from "node:http";
import type { Readable } from "node:stream";
import { LockstepError } from "../errors.ts";
import { busyError } from "../sync/objects/busy.ts";
import { WAITS } from "../waits.ts";

/** Enough for 200,000 ids of the long kind. A device that wants more asks several times (fetch-rounds.ts). */
const BODY_LIMIT = 16 << 20;
/** A body beyond this is a big one. */
const BIG = 1 << 20;

/** Reads bodies, and keeps few big ones in memory at once. */
export class WholeBodies {
  readonly #me: string;
  readonly #most: number;
  /** Big bodies that are being read. */
  big = 0;

  /** `most`: how many big bodies may be in memory at once. */
  constructor(me: string, most: number) {
    this.#me = me;
    this.#most = most;
  }

  /**
   * Returns the whole body. `body` is the decoded body of the request. Throws INVALID_REQUEST when it is too long,
   * QUEUE_FULL when there are too many big ones, and errors of reading.
   */
  async read(request: IncomingMessage, body: Readable = request): Promise<Buffer> {
    const chunks: Buffer[] = [];
    let bytes = 0;
    let isBig = false;
    const stalled = setTimeout(() => request.socket.destroy(), WAITS.requestStallMs);
    try {
      for await (const chunk of body as AsyncIterable<Buffer>) {
        stalled.refresh();
        bytes += chunk.length;
        if (bytes > BODY_LIMIT)
          throw new LockstepError(
            "INVALID_REQUEST",
            `A request has at most ${BODY_LIMIT} bytes; ask for less at once.`,
          );
        if (bytes > BIG && !isBig) {
          if (this.big >= this.#most) throw busyError(this.#me, `reads ${this.#most} big requests already`);
          isBig = true;
          this.big += 1;
        }
        chunks.push(chunk);
      }
      return Buffer.concat(chunks);
    } finally {
      clearTimeout(stalled);
      if (isBig) this.big -= 1;
    }
  }
}
