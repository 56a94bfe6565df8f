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

/** Yields the frames of a connection, until it ends. Throws INVALID_REQUEST for a frame that is too long. */
export async function* readFrames(connection: AsyncIterable<Buffer>): AsyncGenerator<Frame> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of connection) {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let start = 0;
    while (rest.length - start >= HEADER_BYTES) {
      const length = rest.readUInt32BE(start + 1);
      if (length > PAYLOAD_LIMIT) throw new LockstepError("INVALID_REQUEST", "A shim sent a frame of more than 1 MiB.");
      const end = start + HEADER_BYTES + length;
      if (rest.length < end) break;
      yield { type: rest.toString("latin1", start, start + 1), payload: rest.subarray(start + HEADER_BYTES, end) };
      start = end;
    }
    rest = rest.subarray(start);
  }
}
