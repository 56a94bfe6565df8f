// Finds the ends of git's packets: only between two packets can a sentence of ours follow git's output.
const LENGTH_DIGITS = 4;
/** The first bytes of a packet that show its kind. */
const KNOWN_BY = 9;
/** The bands: data, words for people, an error. */
const BANDS = ["\x01", "\x02", "\x03"];
/** Matches the packets of a fetch before the first packet in a band. */
const BEFORE_BANDS = /^(?:packfile\n|NAK|ACK )/;

/**
 * The kind of packet that a client expects next: a plain one or one of a side band. undefined when the output is not in
 * packets, or a packet is incomplete.
 */
export type Expected = "packet" | "band" | undefined;

/** Follows git's output and knows whether it stands between two packets. */
export class PacketWatch {
  #digits = "";
  #left = 0;
  #last = "";
  #isPackets = true;

  /** Takes output that was passed on. */
  pass(chunk: Buffer): void {
    for (let at = 0; this.#isPackets && at < chunk.length; ) {
      if (this.#left > 0) {
        const taken = Math.min(this.#left, chunk.length - at);
        this.#last += chunk.toString("latin1", at, at + Math.min(taken, KNOWN_BY - this.#last.length));
        this.#left -= taken;
        at += taken;
        continue;
      }
      const missing = LENGTH_DIGITS - this.#digits.length;
      this.#digits += chunk.toString("latin1", at, at + missing);
      at = Math.min(at + missing, chunk.length);
      if (this.#digits.length < LENGTH_DIGITS) return;
      const length = /^[0-9a-f]{4}$/i.test(this.#digits) ? Number.parseInt(this.#digits, 16) : 3;
      // Flush and delimiter packets have no content. No packet is three bytes long.
      if (length === 3) this.#isPackets = false;
      this.#left = Math.max(0, length - LENGTH_DIGITS);
      this.#digits = "";
      if (this.#left > 0) this.#last = "";
    }
  }

  get expected(): Expected {
    if (!this.#isPackets || this.#left > 0 || this.#digits !== "") return undefined;
    return BANDS.includes(this.#last.charAt(0)) || BEFORE_BANDS.test(this.#last) ? "band" : "packet";
  }
}
