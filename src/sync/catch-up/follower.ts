// Catches up without being asked, at once after a notification of a new head. The repair loop finds what this misses
// (queue/repair-loop.ts).
import { setTimeout as sleep } from "node:timers/promises";
import { LockstepError } from "../../errors.ts";
import { listReplicas } from "../../store/replica/replicas.ts";
import { WAITS } from "../../waits.ts";
import type { SyncContext } from "../device/context.ts";
import type { RepositoryFacts } from "../device/replicas.ts";
import { tellFailure } from "../lease/tell-outage.ts";
import { catchUpToHead } from "./catch-up.ts";
import { compareNotes } from "./compare-notes.ts";
import { FollowPlaces } from "./follow-places.ts";

/** No repository rests longer than this after a catch-up. */
const REST_LIMIT_MS = 100;

/** Returns for how long a repository rests after a catch-up that took so long. */
export type RestAfter = (tookMs: number) => number;

const restAfter: RestAfter = (tookMs) => Math.min(tookMs, REST_LIMIT_MS);

/**
 * Keeps this device's replicas current until the context's signal aborts. After a catch-up the repository rests for as
 * long as that took. So a busy repository costs half of the time at most, and its pushes gather. Nobody waits for a
 * rest: a read starts a catch-up of its own.
 */
export class Follower {
  readonly #context: SyncContext;
  readonly #restAfter: RestAfter;
  readonly #queue = new Map<string, RepositoryFacts>();
  readonly #places = new FollowPlaces();
  /**
   * The repositories that are being followed, or rest. The value is set when a notification of a newer head came
   * meanwhile.
   */
  readonly #following = new Map<string, RepositoryFacts | undefined>();
  /** True when the database may have lost writes since the last comparison. */
  #suspicious = false;
  #comparing = false;

  constructor(context: SyncContext, rest: RestAfter = restAfter) {
    this.#context = context;
    this.#restAfter = rest;
  }

  /** Follows repositories that have a new head. Never rejects: the repair loop finds what this misses. */
  async onHeads(repositoryIds: readonly string[]): Promise<void> {
    const { replicas } = this.#context;
    const unknown: string[] = [];
    for (const id of repositoryIds) {
      const known = replicas.find(id);
      // The catch-up reads the facts about a replica that this process knows.
      if (known?.applied !== undefined) this.#add({ id, name: known.name, objectFormat: known.objectFormat });
      else unknown.push(id);
    }
    this.#followQueued();
    if (unknown.length === 0) return;
    try {
      const found = await listReplicas(this.#context.db, this.#context.me.device, unknown);
      for (const { repositoryId, ...facts } of found) this.#add({ ...facts, id: repositoryId });
    } catch (error) {
      this.#suspicious = true;
      if (!this.#context.signal.aborted) tellFailure(this.#context, error, "could not look for new heads");
    }
    this.#followQueued();
  }

  /** Follows repositories in which a crash of the last incarnation interrupted a write. */
  async onStart(interrupted: readonly string[]): Promise<void> {
    if (interrupted.length > 0) await this.onHeads(interrupted);
    this.onReconnect();
  }

  /**
   * Called after the connection to the database was lost. The server may be another one now, with other contents.
   */
  onReconnect(): void {
    this.#suspicious = true;
    void this.compare();
  }

  /** Compares the notes again after a comparison that failed. */
  async run(): Promise<void> {
    const { signal } = this.#context;
    while (!signal.aborted) {
      // The pause varies, so that the devices of a cluster do not ask together.
      await sleep(WAITS.compareAgainMs * (0.8 + 0.4 * Math.random()), undefined, { signal }).catch(() => {});
      if (!signal.aborted) void this.compare();
    }
  }

  /**
   * Compares the notes, if the database may have lost writes. If it fails, it is repeated, and each access to a replica
   * compares that one.
   */
  async compare(): Promise<void> {
    if (!this.#suspicious || this.#comparing) return;
    this.#suspicious = false;
    this.#comparing = true;
    try {
      const doubted = await compareNotes(this.#context);
      if (doubted.length > 0) await this.onHeads(doubted);
    } catch (error) {
      this.#suspicious = true;
      if (!this.#context.signal.aborted)
        tellFailure(this.#context, error, "could not compare the replicas with the database");
    } finally {
      this.#comparing = false;
    }
  }

  /** While a repository is followed or rests, everything that lands there goes into the next catch-up, once. */
  #add(found: RepositoryFacts): void {
    if (this.#following.has(found.id)) this.#following.set(found.id, found);
    else this.#queue.set(found.id, found);
  }

  #followQueued(): void {
    for (const next of this.#queue.values()) {
      if (this.#context.signal.aborted) return;
      const { id } = next;
      const failing = this.#context.replicas.find(id)?.failure !== undefined;
      const place = this.#places.take(failing, () => this.#followQueued());
      if (place === undefined) continue;
      this.#queue.delete(id);
      this.#following.set(id, undefined);
      const startedAt = performance.now();
      void this.#follow(next).then((followed) => {
        place[Symbol.dispose]();
        // The repair loop finds a repository that failed when it is due.
        if (!followed) this.#following.delete(id);
        else setTimeout(() => this.#rested(id), this.#restAfter(performance.now() - startedAt)).unref();
        this.#followQueued();
      });
    }
  }

  /** Follows a repository again if a notification of a newer head came since its last catch-up began. */
  #rested(id: string): void {
    const newer = this.#following.get(id);
    this.#following.delete(id);
    if (newer === undefined) return;
    this.#queue.set(id, newer);
    this.#followQueued();
  }

  /**
   * Follows one repository. Returns false if it failed, which has been logged. The repository is due again after its
   * back-off.
   */
  async #follow(facts: RepositoryFacts): Promise<boolean> {
    const replica = this.#context.replicas.get(facts);
    return await catchUpToHead(this.#context, replica, { signal: this.#context.signal }).then(
      () => true,
      (error: unknown) => {
        if (error instanceof LockstepError && error.code === "DATABASE_UNAVAILABLE") this.#suspicious = true;
        return false;
      },
    );
  }
}
