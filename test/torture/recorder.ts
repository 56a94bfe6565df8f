import type { Fault, HistoryRecord, Operation } from "./history.ts";

/** Collects the history of a run as it happens. */
export class Recorder {
  readonly records: HistoryRecord[] = [];
  readonly #since = performance.now();
  #operations = 0;
  #faults = 0;

  /** Returns the milliseconds since the run began. */
  now(): number {
    return this.timeOf(performance.now());
  }

  /** Converts a time of `performance` to milliseconds of the run. */
  timeOf(at: number): number {
    return Math.round((at - this.#since) * 1000) / 1000;
  }

  /** The number of operations that have begun. */
  get operations(): number {
    return this.#operations;
  }

  get faults(): number {
    return this.#faults;
  }

  nextOperation(): number {
    this.#operations += 1;
    return this.#operations;
  }

  addOperation(operation: Omit<Operation, "record">): void {
    this.records.push({ record: "operation", ...operation });
  }

  addFault(fault: Omit<Fault, "record" | "id">): void {
    this.#faults += 1;
    this.records.push({ record: "fault", id: this.#faults, ...fault });
  }
}
