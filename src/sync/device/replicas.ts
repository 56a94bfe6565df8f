// The replicas that this process has touched.
import { Mutex } from "async-mutex";
import { Replica, replicaPath } from "./replica.ts";
import type { OnHeld } from "./replica-mutex.ts";
import { SlowSources } from "./slow-sources.ts";

/** The facts of a repository that a replica needs. */
export interface RepositoryFacts {
  readonly id: string;
  readonly name: string;
  readonly objectFormat: "sha1" | "sha256";
  /** For how long one catch-up may run. null: the default. undefined: the caller did not ask. */
  readonly updateLimitMs?: number | null;
}

/** Finds the replicas that this process has touched, by id and by name. */
export class Replicas {
  /** Held while a replica is tidied, for a few seconds at most. */
  readonly tidying = new Mutex();
  /** Replicas that had much to collect when they were last looked at, longest first (upkeep/keep-healthy.ts). */
  readonly awaitGc = new Set<Replica>();
  /** When something last arrived in the replicas that nobody has looked at since (upkeep/look-at-idle.ts). */
  readonly arrived = new Map<Replica, number>();
  /** When a verification was ordered because git met damage, by repository (milliseconds of the monotonic clock). */
  readonly damageOrderedAt = new Map<string, number>();
  /** Devices that sent nothing when they were asked for objects. */
  readonly slowSources = new SlowSources();
  /** Replicas whose directories were taken over since the loop that watches them looked (adopt/watch-late.ts). */
  readonly takenOver: Replica[] = [];
  readonly #root: string;
  readonly #onHeld: OnHeld | undefined;
  readonly #byId = new Map<string, Replica>();
  readonly #byName = new Map<string, Replica>();

  /** `onHeld`: called whenever the mutex of a replica is given back. */
  constructor(root: string, onHeld?: OnHeld) {
    this.#root = root;
    this.#onHeld = onHeld;
  }

  /**
   * Returns the one object for a repository's replica. If the repository was renamed, the object may still have the
   * earlier name, until the directory has moved (place/follow-name.ts).
   */
  get(repository: RepositoryFacts): Replica {
    const replica = this.#find(repository);
    if (repository.updateLimitMs !== undefined) replica.updateLimitMs = repository.updateLimitMs;
    return replica;
  }

  #find(repository: RepositoryFacts): Replica {
    const known = this.#byId.get(repository.id);
    if (known) return known;
    const replica = new Replica(this.#root, repository.id, repository.name, repository.objectFormat, this.#onHeld);
    this.#byId.set(repository.id, replica);
    this.#byName.set(repository.name, replica);
    return replica;
  }

  /** Notes that something has arrived in a replica. Those whose last arrival is longest ago come first in the map. */
  noteArrival(replica: Replica): void {
    this.arrived.delete(replica);
    this.arrived.set(replica, performance.now());
  }

  /** Gives a replica another name and the path that belongs to it. The caller holds its mutex. */
  rename(replica: Replica, name: string): void {
    const isKnown = this.#byId.get(replica.id) === replica;
    if (this.#byName.get(replica.name) === replica) this.#byName.delete(replica.name);
    replica.name = name;
    replica.gitDir = replicaPath(this.#root, name);
    if (isKnown) this.#byName.set(name, replica);
  }

  /**
   * Takes the name from a replica that this device has given up, after its files were moved aside. Another repository
   * may get the name. The object stays: if the replica comes back, all callers share its mutex, also those that have
   * waited for it since before. The caller holds the mutex.
   */
  giveUp(replica: Replica): void {
    this.rename(replica, `.removed/${replica.id}`);
    this.arrived.delete(replica);
  }

  find(id: string): Replica | undefined {
    return this.#byId.get(id);
  }

  /** Returns the ids of the repositories that this process has touched. */
  ids(): string[] {
    return [...this.#byId.keys()];
  }

  /** Resolves when the versions that were being recorded in the background are. */
  async recorded(): Promise<void> {
    await Promise.all([...this.#byId.values()].map(({ recording }) => recording.done));
  }

  /** Ends the gits that wait for further refs and questions. */
  endGits(): void {
    for (const { keptGit, keptReader } of this.#byId.values()) {
      keptGit.end();
      keptReader.end();
    }
  }

  /** Returns a replica that somebody was about to read since this last returned it. */
  nextTouched(): Replica | undefined {
    const next = [...this.#byId.values()].find(({ touched }) => touched);
    if (next) next.touched = false;
    return next;
  }

  /** Returns the replicas on whose files a session works. */
  outOfService(): Replica[] {
    return [...this.#byId.values()].filter(({ outOfService }) => outOfService !== undefined);
  }

  findByName(name: string): Replica | undefined {
    return this.#byName.get(name);
  }
}
