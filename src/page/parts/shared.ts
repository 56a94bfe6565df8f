// Answers that are read once for all who ask for the same at about the same time.

/** Callers within this time get the same answer. */
const FRESH_MS = 2_000;
/** Answers that are kept. */
const KEPT = 64;
/** Questions that the database gets at once. Pushes use the same connections. */
const AT_ONCE = 2;
/** Further questions that wait. More are refused. */
const WAITING = 32;

/** Too many questions wait. */
export class Busy extends Error {}

/** Reads answers by a key, a few at once, and keeps each for a moment. */
export class Shared<Answer> {
  readonly #kept = new Map<string, { readonly answer: Promise<Answer>; until: number }>();
  readonly #waiting: (() => void)[] = [];
  #reading = 0;

  /** Returns the answer for the key; `read` gets it if nobody has just asked. Throws Busy. */
  async get(key: string, read: () => Promise<Answer>): Promise<Answer> {
    const kept = this.#kept.get(key);
    if (kept !== undefined && kept.until > performance.now()) return await kept.answer;
    if (this.#waiting.length >= WAITING) throw new Busy("too many questions");
    const answer = this.#inTurn(read);
    const entry = { answer, until: Number.POSITIVE_INFINITY };
    this.#kept.delete(key);
    this.#kept.set(key, entry);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > KEPT && oldest !== undefined) this.#kept.delete(oldest);
    try {
      return await answer;
    } finally {
      entry.until = performance.now() + FRESH_MS;
    }
  }

  async #inTurn(read: () => Promise<Answer>): Promise<Answer> {
    if (this.#reading >= AT_ONCE) await new Promise<void>((resume) => this.#waiting.push(resume));
    this.#reading += 1;
    try {
      return await read();
    } finally {
      this.#reading -= 1;
      this.#waiting.shift()?.();
    }
  }
}

/** Nothing came in time. */
export class TooSlow extends Error {}

/** Waits for the answer, for so many milliseconds at most. Throws TooSlow; the reading goes on. */
export async function inTime<Answer>(answer: Promise<Answer>, ms: number): Promise<Answer> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, fail) => {
    timer = setTimeout(() => fail(new TooSlow(`no answer within ${ms / 1_000} s`)), ms);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
    answer.catch(() => {});
  }
}
