// The frames between a shim and the sidecar: one byte of type, four of length, the payload (docs/hook-protocol.md).
import { LockstepError } from "../errors.ts";

const HEADER_BYTES = 5;
const PAYLOAD_LIMIT = 1 << 20;

/** One frame of the protocol. */
export interface Frame {
  readonly type: string;
  readonly payload: Buffer;
}

/** Encodes a payload: as one frame, or as several of that type if it is long. */
export function encodeFrames(type: string, payload: Buffer | string): Buffer {
  const body = Buffer.from(payload as string);
  const parts: Buffer[] = [];
  for (let start = 0; start === 0 || start < body.length; start += PAYLOAD_LIMIT) {
    const part = body.subarray(start, start + PAYLOAD_LIMIT);
    const header = Buffer.alloc(HEADER_BYTES);
    header.write(type, 0, 1, "latin1");
    header.writeUInt32BE(part.length, 1);
    parts.push(header, part);
  }
  return Buffer.concat(parts);
}

/** Cuts the bytes of a connection into frames. */
export class FrameDecoder {
  #pending: Buffer = Buffer.alloc(0);

  /** The bytes behind the last frame. */
  get rest(): Buffer {
    return this.#pending;
  }

  /** Yields the frames that `chunk` completes, in order. Throws INVALID_REQUEST for a frame that is too long. */
  *push(chunk: Buffer): Generator<Frame> {
    this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    while (this.#pending.length >= HEADER_BYTES) {
      const end = HEADER_BYTES + this.#pending.readUInt32BE(1);
      if (end > HEADER_BYTES + PAYLOAD_LIMIT)
        throw new LockstepError("INVALID_REQUEST", "A shim sent a frame of more than 1 MiB.");
      if (this.#pending.length < end) return;
      const [type, payload] = [this.#pending.toString("latin1", 0, 1), this.#pending.subarray(HEADER_BYTES, end)];
      this.#pending = this.#pending.subarray(end);
      yield { type, payload };
    }
  }
}

/** Yields the frames of a connection, until it ends. Throws as `FrameDecoder.push`. */
export async function* readFrames(connection: AsyncIterable<Buffer>): AsyncGenerator<Frame> {
  const decoder = new FrameDecoder();
  for await (const chunk of connection) yield* decoder.push(chunk);
}
