// Tells the other devices of new heads, many in one notification. A lost notification costs time, never correctness.
import type { Logger } from "pino";
import { describe } from "../../errors.ts";

/** Gathers new heads and announces them together. */
export class Announcer {
  readonly #send: (repositoryIds: string[]) => Promise<void>;
  readonly #log: Logger;
  readonly #pending = new Set<string>();
  #sending = false;

  constructor(send: (repositoryIds: string[]) => Promise<void>, log: Logger) {
    this.#send = send;
    this.#log = log;
  }

  /**
   * Announces a new head and returns at once. Heads that come while a notification is being sent go with the next one.
   */
  announce(repositoryId: string): void {
    this.#pending.add(repositoryId);
    if (!this.#sending) void this.#run();
  }

  async #run(): Promise<void> {
    this.#sending = true;
    while (this.#pending.size > 0) {
      const batch = [...this.#pending];
      this.#pending.clear();
      try {
        await this.#send(batch);
      } catch (error) {
        this.#log.warn(
          { err: describe(error) },
          "could not announce new heads; the other devices find them by polling",
        );
      }
    }
    this.#sending = false;
  }
}
