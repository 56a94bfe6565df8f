// The order in which values of a ref followed each other, by the ref log: what session guarantees are measured by. The log is the
// product's own word; linearizability is checked without it.
import { type History, recordsOf, registerOf, type Value } from "../history.ts";

/** From `version` to the version before `until` the ref holds the value. */
export interface Era {
  readonly value: Value;
  readonly version: number;
  readonly until: number;
}

export class Eras {
  readonly #eras = new Map<string, Era[]>();

  constructor(history: History) {
    const log = recordsOf(history, "log").toSorted((one, other) => one.version - other.version);
    for (const { repository, version, changes } of log) {
      for (const change of changes) {
        const register = registerOf(repository, change.ref);
        const eras = this.#eras.get(register) ?? [{ value: null, version: 0, until: Number.POSITIVE_INFINITY }];
        eras.push({ ...eras.pop()!, until: version });
        eras.push({ value: change.new, version, until: Number.POSITIVE_INFINITY });
        this.#eras.set(register, eras);
      }
    }
  }

  /** All of a ref, oldest first. */
  of(register: string): readonly Era[] {
    return this.#eras.get(register) ?? [{ value: null, version: 0, until: Number.POSITIVE_INFINITY }];
  }

  /** The first era with this value that has not ended by version `floor`; undefined: the value is older, or never was. */
  firstSince(register: string, value: Value, floor: number): Era | undefined {
    return this.of(register).find((era) => era.value === value && era.until > floor);
  }
}
