// The row of a write from when it is staged until it is decided.
import type { WriteIdentity } from "../../store/writes.ts";
import type { SyncContext } from "../device/context.ts";
import { abandon } from "./abandon.ts";

/** Drops its write when it is disposed of, unless that is no longer this attempt's to do. */
export class Undecided implements Disposable {
  readonly #context: SyncContext;
  readonly #write: WriteIdentity;
  #mine = true;
  /** Why the write is dropped. */
  reason = "the server failed before the write was decided";

  constructor(context: SyncContext, write: WriteIdentity) {
    this.#context = context;
    this.#write = write;
  }

  /** There is no row to drop, or somebody else decides it. */
  leave(): void {
    this.#mine = false;
  }

  [Symbol.dispose](): void {
    if (this.#mine) abandon(this.#context, this.#write, this.reason);
  }
}
