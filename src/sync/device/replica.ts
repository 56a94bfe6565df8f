// The replicas as this process knows them. `applied`, not the database row, decides whether a read may pass. The
// process that put the refs on disk sets it, once they are there.
import { join } from "node:path";
import { Mutex } from "async-mutex";
import type { RefName, Version } from "../../domain.ts";
import { ObjectClaims } from "../../git/objects/object-claims.ts";
import type { CopiesRule } from "../../store/write/writes.ts";
import { ReplicaMutex } from "./replica-mutex.ts";
import { SlowSources } from "./slow-sources.ts";

/** The progress of a catch-up. Listeners get it whenever something has moved, even if only at the source. */
export interface CatchUpProgress {
  readonly phase: string;
  readonly objects: number;
  readonly totalObjects: number;
  readonly bytes: number;
}

/** One catch-up under way, shared by all its waiters. */
export interface Flight {
  readonly done: Promise<void>;
  readonly listeners: Set<(progress: CatchUpProgress) => void>;
}

/** The arguments that every step of a catch-up gets. */
export interface Course {
  readonly onProgress: (progress: CatchUpProgress) => void;
  /** Aborts, with the reason, when nothing has moved for too long, and when the process ends. */
  readonly signal: AbortSignal;
}

/** The write session that works on the files of a replica. */
export interface OutOfService {
  readonly writeId: string;
  readonly author: string;
  readonly reason: string;
}

/** Holds the state of one replica as this process knows it. */
export class Replica {
  readonly id: string;
  /** The name for which the directory is at its place. The repository may have been renamed a moment ago. */
  name: string;
  readonly objectFormat: "sha1" | "sha256";
  gitDir: string;
  /** Held while refs change. Objects arrive without it. First come, first served. */
  readonly mutex: ReplicaMutex;
  #applied: Version | undefined = undefined;
  /**
   * When `applied` was last set (milliseconds of the monotonic clock). While it is defined, the refs have not changed
   * since then either.
   */
  unchangedSince = performance.now();
  /** When a ref below refs/tags/ may last have changed (milliseconds of the monotonic clock). */
  tagsAt = performance.now();
  /** The digest (hex) of the applied refs. Set with `applied`. */
  appliedDigest = "";
  /** When the replica was last known to hold the head of that moment (milliseconds of the monotonic clock). */
  currentAt: number | undefined = undefined;
  /** The version that the database has on record for the replica, as far as this process knows. */
  recorded: Version = 0n;
  /** The rule of the repository when a write was last staged here. */
  copiesRule: CopiesRule = { atLeast: 1, orFewer: false };
  /**
   * The refs that keep objects of other devices' writes here for a while (write/hold-objects.ts). undefined: not read
   * yet.
   */
  holds: Set<RefName> | undefined = undefined;
  /** Pushes and catch-ups since packs and loose refs were last counted. */
  arrivals = 0;
  /** Held while packs are rolled up or put in place, refs are packed, or damaged packs are moved aside. */
  readonly tidying = new Mutex();
  /** Held while gc works on the replica. */
  readonly collecting = new Mutex();
  /** When a gc was last ordered (milliseconds of the monotonic clock). */
  gcOrderedAt: number | undefined = undefined;
  /** The packs from which gc makes new ones at this moment. Nobody else rolls them up. */
  packsOfGc: ReadonlySet<string> = new Set();
  /** Writes that rely on objects which no ref may reach yet. */
  readonly objects = new ObjectClaims();
  /** True while the replica waits in the queue to be tidied. */
  awaitsTidying = false;
  /**
   * Resolves when git no longer packs refs in the background. Until then its locks are young, and recovery must not
   * remove them.
   */
  packingRefs = Promise.resolve();
  /** When the leftovers of uploads were last removed (milliseconds of the monotonic clock; replica/uploads.ts). */
  uploadsSweptAt: number | undefined = undefined;
  /** True when somebody has read since the patrol passed (catch-up/patrol.ts). */
  touched = false;
  /** True when the leftovers of a dead process have been removed. */
  swept = false;
  flight: Flight | undefined = undefined;
  /** For how long one catch-up may run, as far as this process has heard. null: the default. */
  updateLimitMs: number | null = null;
  waiting = 0;

  /**
   * Set while a session works on the files (replica/out-of-service.ts). The replica serves nobody then, and this
   * process does not touch it.
   */
  outOfService: OutOfService | undefined = undefined;
  /**
   * The last failure. Until `until` (milliseconds of the monotonic clock) callers get this error, and nothing is tried
   * again.
   */
  failure: { error: unknown; until: number; count: number } | undefined = undefined;

  constructor(root: string, id: string, name: string, objectFormat: "sha1" | "sha256") {
    this.id = id;
    this.name = name;
    this.objectFormat = objectFormat;
    this.gitDir = replicaPath(root, name);
    this.mutex = new ReplicaMutex(this);
  }

  /**
   * The version whose refs are on disk. undefined: this process has not looked at the replica yet, or it is in doubt.
   */
  get applied(): Version | undefined {
    return this.#applied;
  }

  set applied(version: Version | undefined) {
    this.#applied = version;
    if (version !== undefined) Object.assign(this.mutex, { mistrusted: false, changedByOthers: false });
    this.unchangedSince = performance.now();
  }
}

/** Returns the path of a repository's replica. */
export function replicaPath(root: string, name: string): string {
  return join(root, `${name}.git`);
}

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
  readonly #byId = new Map<string, Replica>();
  readonly #byName = new Map<string, Replica>();

  constructor(root: string) {
    this.#root = root;
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
    const replica = new Replica(this.#root, repository.id, repository.name, repository.objectFormat);
    this.#byId.set(repository.id, replica);
    this.#byName.set(repository.name, replica);
    return replica;
  }

  /** Notes that something has arrived in a replica. Those whose last arrival is longest ago come first in the map. */
  noteArrival(replica: Replica): void {
    this.arrived.delete(replica);
    this.arrived.set(replica, performance.now());
  }

  /** Forgets a replica that this device has given up. If it comes back, a new object looks at its disk. */
  forget(replica: Replica): void {
    if (this.#byId.get(replica.id) === replica) this.#byId.delete(replica.id);
    if (this.#byName.get(replica.name) === replica) this.#byName.delete(replica.name);
    this.arrived.delete(replica);
  }

  /** Gives a replica another name and the path that belongs to it. The caller holds its mutex. */
  rename(replica: Replica, name: string): void {
    const isKnown = this.#byId.get(replica.id) === replica;
    if (this.#byName.get(replica.name) === replica) this.#byName.delete(replica.name);
    replica.name = name;
    replica.gitDir = replicaPath(this.#root, name);
    if (isKnown) this.#byName.set(name, replica);
  }

  find(id: string): Replica | undefined {
    return this.#byId.get(id);
  }

  /** Returns the ids of the repositories that this process has touched. */
  ids(): string[] {
    return [...this.#byId.keys()];
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
