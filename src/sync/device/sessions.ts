// The write sessions and turns of this device, as this process knows them.
import { Mutex } from "async-mutex";
import { BeginCalls } from "./begin-calls.ts";
import { SessionTokens } from "./session-caller.ts";
import { TurnQueue } from "./turn-queue.ts";

/** Holds the tokens, the begins and the turns of the write sessions of this device. */
export class Sessions {
  readonly tokens = new SessionTokens();
  readonly begins = new BeginCalls();
  readonly turns = new TurnQueue();
  readonly #busy = new Map<string, Mutex>();

  /** Runs `work` while no other call works on the same session. */
  async exclusively<T>(writeId: string, work: () => Promise<T>): Promise<T> {
    const mutex = this.#busy.get(writeId) ?? new Mutex();
    this.#busy.set(writeId, mutex);
    try {
      return await mutex.runExclusive(work);
    } finally {
      if (!mutex.isLocked()) this.#busy.delete(writeId);
    }
  }
}
