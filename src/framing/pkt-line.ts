// git's pkt-line format, as the proc-receive hook speaks it (git's Documentation/gitprotocol-common).
import { LockstepError } from "../errors.ts";

/** The longest line that git writes. */
const LINE_LIMIT = 65_520;

/** A packet: its bytes, or null for a flush packet. */
export type Packet = Buffer | null;

/** Splits bytes that arrive in pieces into packets. */
export class PacketReader {
  #rest: Buffer = Buffer.alloc(0);

  /** Returns the packets that this piece completes. Throws INVALID_REQUEST for an invalid length. */
  push(piece: Buffer): Packet[] {
    this.#rest = this.#rest.length === 0 ? piece : Buffer.concat([this.#rest, piece]);
    const packets: Packet[] = [];
    let start = 0;
    while (this.#rest.length - start >= 4) {
      const digits = this.#rest.toString("latin1", start, start + 4);
      // parseInt takes "-001" and "0x1f" too.
      const length = /^[0-9a-f]{4}$/i.test(digits) ? Number.parseInt(digits, 16) : 1;
      if (length > LINE_LIMIT || (length > 0 && length < 4)) {
        throw new LockstepError("INVALID_REQUEST", "git sent a packet with an invalid length.");
      }
      if (length === 0) packets.push(null);
      else if (this.#rest.length - start < length) break;
      else packets.push(this.#rest.subarray(start + 4, start + length));
      start += Math.max(length, 4);
    }
    this.#rest = this.#rest.subarray(start);
    return packets;
  }
}

/** Returns a sentence in UTF-8 for `packet`, one character for each byte. */
export function utf8(text: string): string {
  return Buffer.from(text.replace(/[\n\0]/g, " ")).toString("latin1");
}

/** Returns one packet with a text of bytes (latin1). */
export function packet(text: string): Buffer {
  return Buffer.from((text.length + 4).toString(16).padStart(4, "0") + text, "latin1");
}

/** Returns one packet with a line of bytes (latin1). Cuts off the bytes that git would not read in one packet. */
export function linePacket(text: string): Buffer {
  return packet(`${text.slice(0, LINE_LIMIT - "0000\n".length)}\n`);
}

export const FLUSH: Buffer = Buffer.from("0000");
