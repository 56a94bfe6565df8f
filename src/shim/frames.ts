// The frames of docs/hook-protocol.md: one byte of type, four of length, the payload.

const HEADER = 5;
const MAX_PAYLOAD = 1 << 20;

/** One frame of the protocol. */
export interface Frame {
  readonly type: string;
  readonly payload: Buffer;
}

/** Returns the bytes of one frame; the payload is at most 1 MiB. */
export function encodeFrame(type: string, payload: Buffer): Buffer {
  const header = Buffer.alloc(HEADER, type, "latin1");
  header.writeUInt32BE(payload.length, 1);
  return Buffer.concat([header, payload]);
}

/** Cuts the bytes of a connection into frames. */
export class FrameDecoder {
  #pending = Buffer.alloc(0);

  /** The bytes behind the last frame. */
  get rest(): Buffer {
    return this.#pending;
  }

  /** Yields the frames that `chunk` completes, in order. Throws RangeError for a frame of more than 1 MiB. */
  *push(chunk: Buffer): Generator<Frame> {
    this.#pending = Buffer.concat([this.#pending, chunk]);
    while (this.#pending.length >= HEADER) {
      const end = HEADER + this.#pending.readUInt32BE(1);
      if (end > HEADER + MAX_PAYLOAD) throw new RangeError(`a frame of ${end} bytes`);
      if (this.#pending.length < end) return;
      const frame = { type: this.#pending.toString("latin1", 0, 1), payload: this.#pending.subarray(HEADER, end) };
      this.#pending = this.#pending.subarray(end);
      yield frame;
    }
  }
}
