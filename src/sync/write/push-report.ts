// The report of a push.
import type { RefName, RefUpdate } from "../../domain.ts";

/** Per ref, in the order of the push: why it was refused, or null when it holds what the pusher wanted. */
export class PushReport implements Iterable<[RefName, string | null]> {
  readonly #reasons: Map<RefName, string | null>;

  /** As `entries` say. */
  constructor(entries: Iterable<readonly [RefName, string | null]>) {
    this.#reasons = new Map(entries);
  }

  /** Refuses nothing yet. */
  static of(updates: readonly RefUpdate[]): PushReport {
    return new PushReport(updates.map(({ name }) => [name, null]));
  }

  has(name: RefName): boolean {
    return this.#reasons.has(name);
  }

  /** Why a ref was refused; null: it was not. */
  reasonOf(name: RefName): string | null {
    return this.#reasons.get(name) ?? null;
  }

  /** The refs that were refused, each with the reason. */
  get refusals(): [RefName, string][] {
    return [...this.#reasons].filter((entry): entry is [RefName, string] => entry[1] !== null);
  }

  /** Takes what is told of a ref: the reason of its refusal, or null. */
  tell(name: RefName, reason: string | null): void {
    this.#reasons.set(name, reason);
  }

  /** Refuses refs, each with its reason. */
  refuse(reasons: ReadonlyMap<RefName, string>): void {
    for (const [name, reason] of reasons) this.#reasons.set(name, reason);
  }

  /** With --atomic, one refused ref refuses all. Returns those of the updates that remain. */
  allOrNone(updates: readonly RefUpdate[]): RefUpdate[] {
    if (this.refusals.length === 0) return [...updates];
    for (const [name, reason] of this.#reasons) if (reason === null) this.#reasons.set(name, "atomic push failure");
    return [];
  }

  [Symbol.iterator](): Iterator<[RefName, string | null]> {
    return this.#reasons[Symbol.iterator]();
  }
}
