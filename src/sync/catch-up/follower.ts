// Catches up without being asked: at once after a notification of a new head, and by polling, which finds everything.
import { setTimeout as sleep } from "node:timers/promises";
import { type Behind, listBehind, listBehindIn, listPending, listReplicas } from "../../store/replicas.ts";
import type { SyncContext } from "../device/context.ts";
import { tellFailure } from "../lease/tell-outage.ts";
import { catchUpToHead } from "./catch-up.ts";
import { compareNotes } from "./compare-notes.ts";
import { FollowPlaces } from "./follow-places.ts";

const POLL_MS = 5_000;
const BATCH = 200;
/**
 * How many replicas one poll looks at. To read 100,000 takes the database 160 ms, every five seconds and for every
 * device.
 */
const PAGE = 10_000;

/** Keeps this device's replicas current until the context's signal aborts. */
export class Follower {
  readonly #context: SyncContext;
  readonly #queue = new Map<string, Behind>();
  readonly #places = new FollowPlaces();
  /** The repositories that are being followed. The value is set when a notification of a newer head came meanwhile. */
  readonly #following = new Map<string, Behind | undefined>();
  /** The repository after which the next poll begins. */
  #after: string | undefined;
  /** True when the database may have lost writes since the last comparison. */
  #suspicious = false;
  #comparing = false;
  /** True when more copies are missing than one look returns. Then the next look comes as soon as these are queued. */
  #fills = false;

  constructor(context: SyncContext) {
    this.#context = context;
  }

  /** Follows repositories that have a new head. Never rejects: polling finds what this misses. */
  async onHeads(repositoryIds: readonly string[]): Promise<void> {
    await this.#look(() => listReplicas(this.#context.db, this.#context.me.device, repositoryIds), "new heads");
  }

  /**
   * Follows repositories in which a crash of the last incarnation interrupted a write, and all others that are behind.
   */
  async onStart(interrupted: readonly string[]): Promise<void> {
    if (interrupted.length > 0) await this.onHeads(interrupted);
    await this.onReconnect();
  }

  /**
   * Called after the connection to the database was lost. The server may be another one now, with other contents, and
   * notifications may have been missed.
   */
  async onReconnect(): Promise<void> {
    this.#suspicious = true;
    void this.#compare();
    await this.#look(() => listBehind(this.#context.db, this.#context.me.device, BATCH), "found behind");
  }

  /** Follows repositories of which this device has no copy yet, those first that were pushed to last. */
  async onPlaced(): Promise<void> {
    if (this.#queue.size >= BATCH) return;
    await this.#look(async () => {
      const pending = await listPending(this.#context.db, this.#context.me.device, BATCH);
      this.#fills = pending.length === BATCH;
      return pending;
    }, "found behind");
  }

  /** Looks at the next page of this device's replicas. */
  async poll(): Promise<void> {
    void this.#compare();
    await this.onPlaced();
    await this.#look(async () => {
      const page = { after: this.#after, size: PAGE, limit: BATCH };
      const { behind, last } = await listBehindIn(this.#context.db, this.#context.me.device, page);
      this.#after = last;
      return behind;
    }, "found behind");
  }

  async run(): Promise<void> {
    const { signal } = this.#context;
    while (!signal.aborted) {
      // The pause varies, so that the devices of a cluster do not ask together.
      await sleep(POLL_MS * (0.8 + 0.4 * Math.random()), undefined, { signal }).catch(() => {});
      if (!signal.aborted) await this.poll();
    }
  }

  /**
   * Queues the repositories that `find` returns, each once. A repository that is being followed is queued again only
   * for a new head.
   */
  async #look(find: () => Promise<Behind[]>, why: "new heads" | "found behind"): Promise<void> {
    try {
      for (const behind of await find()) {
        const { repositoryId } = behind;
        if (!this.#following.has(repositoryId)) this.#queue.set(repositoryId, behind);
        else if (why === "new heads") this.#following.set(repositoryId, behind);
      }
    } catch (error) {
      this.#suspicious = true;
      if (!this.#context.signal.aborted)
        tellFailure(this.#context, error, "could not look for replicas that are behind");
    }
    this.#followQueued();
  }

  /**
   * Compares the notes in the background. If it fails, the next poll repeats it, and each access to a replica compares
   * that one.
   */
  async #compare(): Promise<void> {
    if (!this.#suspicious || this.#comparing) return;
    this.#suspicious = false;
    this.#comparing = true;
    try {
      await compareNotes(this.#context);
    } catch (error) {
      this.#suspicious = true;
      if (!this.#context.signal.aborted)
        tellFailure(this.#context, error, "could not compare the replicas with the database");
    } finally {
      this.#comparing = false;
    }
  }

  #followQueued(): void {
    for (const behind of this.#queue.values()) {
      if (this.#context.signal.aborted) return;
      const { repositoryId: id } = behind;
      const failing = this.#context.replicas.find(id)?.failure !== undefined;
      const place = this.#places.take(failing, () => this.#followQueued());
      if (place === undefined) continue;
      this.#queue.delete(id);
      this.#following.set(id, undefined);
      if (this.#fills && this.#queue.size < BATCH / 2) {
        this.#fills = false;
        void this.onPlaced();
      }
      void this.#follow(behind).then((followed) => {
        const newer = this.#following.get(id);
        this.#following.delete(id);
        place[Symbol.dispose]();
        // A repository that failed rests. A poll finds it when it is due.
        if (newer !== undefined && followed) this.#queue.set(id, newer);
        this.#followQueued();
      });
    }
  }

  /**
   * Follows one repository. Returns false if it failed, which has been logged. The repository is due again after its
   * back-off.
   */
  async #follow({ repositoryId, name, objectFormat }: Behind): Promise<boolean> {
    const replica = this.#context.replicas.get({ id: repositoryId, name, objectFormat });
    return await catchUpToHead(this.#context, replica, { signal: this.#context.signal }).then(
      () => true,
      () => false,
    );
  }
}
