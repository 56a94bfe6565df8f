// The order of the values of a ref, from the ref log. The session guarantees are checked against it. The log comes from
// the product itself, so linearizability is checked without it.
import { type History, recordsOf, registerOf, type Value } from "../history.ts";

/** A time in which a ref holds a value: from `version` to the version before `until`. */
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

  /** Returns all eras of a ref, oldest first. */
  of(register: string): readonly Era[] {
    return this.#eras.get(register) ?? [{ value: null, version: 0, until: Number.POSITIVE_INFINITY }];
  }

  /** Returns the first era with this value that lasts beyond version `floor`. Returns undefined if there is none. */
  firstSince(register: string, value: Value, floor: number): Era | undefined {
    return this.of(register).find((era) => era.value === value && era.until > floor);
  }
}
