// Reads something again and again while somebody asks for it, and rests in between.
import { describe } from "../../errors.ts";

/** Nobody is shown something older than this, unless reading takes long. */
const FRESH_MS = 2_000;
/** After a reading the next one waits for this many times as long as it took. */
const REST = 10;

/** Why something could not be read, and since when. */
export interface Failure {
  readonly said: string;
  readonly since: Date;
}

/** Shares what it has read. Nobody asks: nothing is read. */
export class Resting<Answer> {
  readonly #read: (before: Answer | undefined, show: (unfinished: Answer) => void) => Promise<Answer>;
  #latest: Answer | undefined;
  #failure: Failure | undefined;
  #reading: Promise<void> | undefined;
  #restUntil = 0;

  /** `read` gets the last answer. With `show` it shows the first answer before it is whole. */
  constructor(read: (before: Answer | undefined, show: (unfinished: Answer) => void) => Promise<Answer>) {
    this.#read = read;
  }

  /** The last answer. undefined: there was none yet. */
  get latest(): Answer | undefined {
    return this.#latest;
  }

  /** undefined: the last reading went well. */
  get failure(): Failure | undefined {
    return this.#failure;
  }

  /** Resolves when the answer is fresh, or could not be read. */
  async refresh(): Promise<void> {
    if (this.#reading === undefined && performance.now() >= this.#restUntil)
      this.#reading = this.#readNow().finally(() => {
        this.#reading = undefined;
      });
    await this.#reading;
  }

  async #readNow(): Promise<void> {
    const began = performance.now();
    const before = this.#latest;
    try {
      this.#latest = await this.#read(before, (unfinished) => {
        if (before === undefined) this.#latest = unfinished;
      });
      this.#failure = undefined;
    } catch (error) {
      // An unfinished answer would be taken for the whole one.
      this.#latest = before;
      this.#failure = { said: describe(error), since: this.#failure?.since ?? new Date() };
    }
    const took = performance.now() - began;
    this.#restUntil = performance.now() + Math.max(FRESH_MS, this.#failure ? 0 : took * REST);
  }
}
