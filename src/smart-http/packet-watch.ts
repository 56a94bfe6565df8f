// Where git's output is between its packets: only there a sentence of ours can follow it.
const LENGTH_DIGITS = 4;
/** Enough of a packet to know it by. */
const KNOWN_BY = 9;
/** Data, words for people, an error. */
const BANDS = ["\x01", "\x02", "\x03"];
/** What a fetch is sent before the first packet in a band. */
const BEFORE_BANDS = /^(?:packfile\n|NAK|ACK )/;

/** What a client expects to come next: a packet, a packet of a side band, or, where the output is no packets, neither. */
export type Expected = "packet" | "band" | undefined;

export class PacketWatch {
  #digits = "";
  #left = 0;
  #last = "";
  #isPackets = true;

  /** Output that is passed on. */
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
      // Flush and delimiters have no content. No packet is three bytes long.
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
