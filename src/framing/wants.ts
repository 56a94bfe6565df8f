// Finds what a client of git upload-pack wants, in all versions of git's protocol. A packet of the client names each
// wanted object. These packets follow each other, and a flush packet ends them.
import { LockstepError } from "../errors.ts";

const WANT = /^want ([0-9a-f]{40}(?:[0-9a-f]{24})?)(?![0-9a-f])/i;
const LENGTH_DIGITS = 4;
/** The longest packet that git reads. */
const PACKET_LIMIT = 65_520;
/** As many bytes may name wanted objects at once: more than 200,000 ids. */
const SECTION_LIMIT = 16 << 20;

/** A part of what the client said, and the ids of the objects that it wants there. */
export interface Section {
  readonly bytes: Buffer;
  readonly wants: readonly string[];
}

/** Splits what a client says. It holds back packets that want something until it has seen all of them. */
export class WantReader {
  #rest: Buffer = Buffer.alloc(0);
  #held: Buffer[] = [];
  #heldBytes = 0;
  #wants: string[] = [];

  /** The wanted objects of a section that has not ended yet. */
  get unended(): readonly string[] {
    return this.#wants;
  }

  /** Returns the sections that this piece completes, in their order. Throws INVALID_REQUEST. */
  push(piece: Buffer): Section[] {
    this.#rest = this.#rest.length === 0 ? piece : Buffer.concat([this.#rest, piece]);
    const sections: Section[] = [];
    let start = 0;
    for (;;) {
      const length = lengthAt(this.#rest, start);
      if (length === undefined || this.#rest.length - start < length) break;
      const section = this.#take(this.#rest.subarray(start, start + length));
      if (section !== undefined) sections.push(section);
      start += length;
    }
    this.#rest = this.#rest.subarray(start);
    return sections;
  }

  #take(packet: Buffer): Section | undefined {
    if (packet.toString("latin1", LENGTH_DIGITS, LENGTH_DIGITS + 5) === "want ") this.#wants.push(wanted(packet));
    else if (this.#wants.length === 0) return { bytes: packet, wants: [] };
    this.#held.push(packet);
    this.#heldBytes += packet.length;
    if (this.#heldBytes > SECTION_LIMIT)
      throw new LockstepError("INVALID_REQUEST", "git wants too many objects at once; ask for less at once.");
    if (packet.toString("latin1", 0, LENGTH_DIGITS) !== "0000") return undefined;
    const section = { bytes: Buffer.concat(this.#held), wants: this.#wants };
    this.#held = [];
    this.#heldBytes = 0;
    this.#wants = [];
    return section;
  }
}

/** Returns the ids of all objects that a whole request wants. Throws INVALID_REQUEST. */
export function wantsOf(request: Buffer): string[] {
  const reader = new WantReader();
  return [...reader.push(request).flatMap(({ wants }) => wants), ...reader.unended];
}

/** Returns the length of the packet at `start` with its own digits. undefined: these have not come yet. */
function lengthAt(bytes: Buffer, start: number): number | undefined {
  if (bytes.length - start < LENGTH_DIGITS) return undefined;
  const digits = bytes.toString("latin1", start, start + LENGTH_DIGITS);
  // parseInt takes "-001" and "0x1f" too.
  const length = /^[0-9a-f]{4}$/i.test(digits) ? Number.parseInt(digits, 16) : PACKET_LIMIT + 1;
  if (length > PACKET_LIMIT || length === 3)
    throw new LockstepError("INVALID_REQUEST", "git sent a packet with an invalid length.");
  // The packets 0000, 0001 and 0002 have no content.
  return Math.max(length, LENGTH_DIGITS);
}

function wanted(packet: Buffer): string {
  const id = WANT.exec(packet.toString("latin1", LENGTH_DIGITS))?.[1];
  if (id === undefined)
    throw new LockstepError("INVALID_REQUEST", "git wants something that is no object id; fetch a ref.");
  return id.toLowerCase();
}
