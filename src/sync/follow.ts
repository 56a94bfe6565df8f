// Followers catch up without being asked: at once when told of a new head, and by polling, which is the truth.
import { setTimeout as sleep } from "node:timers/promises";
import { describe } from "../errors.ts";
import { type Behind, listBehind, listReplicas } from "../store/replicas.ts";
import { catchUpToHead } from "./catch-up.ts";
import { compareNotes } from "./compare-notes.ts";
import type { SyncContext } from "./context.ts";

const POLL_MS = 5_000;
const AT_ONCE = 4;
const BATCH = 200;

/** Keeps this device's replicas current until the context's signal aborts. */
export class Follower {
  readonly #context: SyncContext;
  readonly #queue = new Map<string, Behind>();
  #running = 0;
  /** The database may have lost writes since it was last asked. */
  #suspicious = false;
  #comparing = false;

  constructor(context: SyncContext) {
    this.#context = context;
  }

  /** These repositories have a new head. Never rejects: polling finds what is missed here. */
  async onHeads(repositoryIds: readonly string[]): Promise<void> {
    await this.#look(() => listReplicas(this.#context.db, this.#context.me.device, repositoryIds));
  }

  /** Repositories that a crash of the last incarnation left unfinished, and whatever else is behind. */
  async onStart(interrupted: readonly string[]): Promise<void> {
    if (interrupted.length > 0) await this.onHeads(interrupted);
    await this.onReconnect();
  }

  /** The connection to the database was lost: it may be another server now, with other contents. */
  async onReconnect(): Promise<void> {
    this.#suspicious = true;
    await this.poll();
  }

  async poll(): Promise<void> {
    void this.#compare();
    await this.#look(() => listBehind(this.#context.db, this.#context.me.device, BATCH));
  }

  async run(): Promise<void> {
    const { signal } = this.#context;
    while (!signal.aborted) {
      // Jittered, so that the devices of a cluster do not ask together.
      await sleep(POLL_MS * (0.8 + 0.4 * Math.random()), undefined, { signal }).catch(() => {});
      if (!signal.aborted) await this.poll();
    }
  }

  async #look(find: () => Promise<Behind[]>): Promise<void> {
    try {
      for (const behind of await find()) this.#queue.set(behind.repositoryId, behind);
    } catch (error) {
      this.#suspicious = true;
      if (!this.#context.signal.aborted)
        this.#context.log.warn({ err: describe(error) }, "could not look for replicas that are behind");
    }
    this.#drain();
  }

  /** In the background; what fails here is found by whoever touches the replica, and by the next poll. */
  async #compare(): Promise<void> {
    if (!this.#suspicious || this.#comparing) return;
    this.#suspicious = false;
    this.#comparing = true;
    try {
      await compareNotes(this.#context);
    } catch (error) {
      this.#suspicious = true;
      if (!this.#context.signal.aborted)
        this.#context.log.warn({ err: describe(error) }, "could not compare the replicas with the database");
    } finally {
      this.#comparing = false;
    }
  }

  #drain(): void {
    for (const [id, behind] of this.#queue) {
      if (this.#running >= AT_ONCE || this.#context.signal.aborted) return;
      this.#queue.delete(id);
      this.#running += 1;
      void this.#follow(behind).finally(() => {
        this.#running -= 1;
        this.#drain();
      });
    }
  }

  async #follow({ repositoryId, name, objectFormat }: Behind): Promise<void> {
    const replica = this.#context.replicas.get({ id: repositoryId, name, objectFormat });
    // A flight that failed has been logged, and is due again after its back-off.
    await catchUpToHead(this.#context, replica, { signal: this.#context.signal }).catch(() => {});
  }
}
