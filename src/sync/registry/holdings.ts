// Remembers for a moment which device holds which repository: each pack that a device asks for needs the answer.
import type { Database } from "../../store/database/database.ts";
import { findHolding, type Which } from "../../store/replica/holdings.ts";

/** A device that has given a repository up may still fetch it for so long. */
const REMEMBERED_MS = 10_000;
const LIMIT = 10_000;

export class Holdings {
  readonly #db: Database;
  readonly #held = new Map<string, number>();

  constructor(db: Database) {
    this.#db = db;
  }

  /** Returns true if the device holds the repository or should hold it. undefined: there is no such repository. */
  async holds(device: string, which: Which): Promise<boolean | undefined> {
    const key = `${device} ${"id" in which ? which.id : which.name}`;
    const now = performance.now();
    if (now - (this.#held.get(key) ?? Number.NEGATIVE_INFINITY) < REMEMBERED_MS) return true;
    const held = await findHolding(this.#db, device, which);
    if (this.#held.size >= LIMIT) this.#held.clear();
    if (held) this.#held.set(key, now);
    else this.#held.delete(key);
    return held;
  }
}
