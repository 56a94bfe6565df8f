// The report of a push.
import type { RefName, RefUpdate, Version } from "../../domain.ts";

/**
 * The outcome of each ref, in the order of the push: the reason of its refusal, or null when it has the pusher's value.
 */
export class PushReport implements Iterable<[RefName, string | null]> {
  readonly #reasons: Map<RefName, string | null>;
  /** The version with which the push landed. null: none of its refs was to change. */
  version: Version | null = null;

  /** Makes a report with these entries. */
  constructor(entries: Iterable<readonly [RefName, string | null]>) {
    this.#reasons = new Map(entries);
  }

  /** Makes a report that refuses nothing yet. */
  static of(updates: readonly RefUpdate[]): PushReport {
    return new PushReport(updates.map(({ name }) => [name, null]));
  }

  has(name: RefName): boolean {
    return this.#reasons.has(name);
  }

  /** Returns why a ref was refused. null: it was not. */
  reasonOf(name: RefName): string | null {
    return this.#reasons.get(name) ?? null;
  }

  /** The refs that were refused, each with the reason. */
  get refusals(): [RefName, string][] {
    return [...this.#reasons].filter((entry): entry is [RefName, string] => entry[1] !== null);
  }

  /** Sets the outcome of a ref: the reason of its refusal, or null. */
  tell(name: RefName, reason: string | null): void {
    this.#reasons.set(name, reason);
  }

  /** Refuses refs, each with its reason. */
  refuse(reasons: ReadonlyMap<RefName, string>): void {
    for (const [name, reason] of reasons) this.#reasons.set(name, reason);
  }

  /** Refuses all refs if one is refused, as --atomic asks. Returns the updates that remain. */
  allOrNone(updates: readonly RefUpdate[]): RefUpdate[] {
    if (this.refusals.length === 0) return [...updates];
    for (const [name, reason] of this.#reasons) if (reason === null) this.#reasons.set(name, "atomic push failure");
    return [];
  }

  [Symbol.iterator](): Iterator<[RefName, string | null]> {
    return this.#reasons[Symbol.iterator]();
  }
}
