// What this process knows of its replicas. The version here, not the row, decides whether a read may pass: it is set after the
// refs are on disk, by the process that put them there.
import { join } from "node:path";
import { Mutex } from "async-mutex";
import type { RefName, Version } from "../../domain.ts";
import type { CopiesRule } from "../../store/writes.ts";
import { ReplicaMutex } from "./replica-mutex.ts";
import { SlowSources } from "./slow-sources.ts";

/** How far a catch-up is; it is told of whenever something has moved, be it only at the source. */
export interface CatchUpProgress {
  readonly phase: string;
  readonly objects: number;
  readonly totalObjects: number;
  readonly bytes: number;
}

/** One catch-up under way, shared by all who wait for it. */
export interface Flight {
  readonly done: Promise<void>;
  readonly listeners: Set<(progress: CatchUpProgress) => void>;
}

/** What the steps of a catch-up are given. */
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

export class Replica {
  readonly id: string;
  readonly name: string;
  readonly objectFormat: "sha1" | "sha256";
  readonly gitDir: string;
  /** Held while refs change. Objects arrive without it. First come, first served. */
  readonly mutex: ReplicaMutex;
  #applied: Version | undefined = undefined;
  /** Since when (milliseconds of the monotonic clock) `applied` has been what it is; while it is defined, the refs too. */
  unchangedSince = performance.now();
  /** The digest (hex) of those refs; set with `applied`. */
  appliedDigest = "";
  /** When (milliseconds of the monotonic clock) it was last known to hold the head of that moment. */
  currentAt: number | undefined = undefined;
  /** The version that the database is known to have on record for it. */
  recorded: Version = 0n;
  /** As of the last write that was staged here. */
  copies: CopiesRule = { atLeast: 1, orFewer: false };
  /** Objects of others' writes that are kept here for a while (hold.ts); undefined: not looked at yet. */
  holds: Set<RefName> | undefined = undefined;
  /** Pushes and catch-ups since packs and loose refs were last counted. */
  arrivals = 0;
  /** Held while its packs are rolled up, its refs packed, or its damaged packs moved aside. */
  readonly tidying = new Mutex();
  /** It waits for its turn to be tidied. */
  awaitsTidying = false;
  /** Until it resolves git packs refs in the background: its locks are young, and not to be swept. */
  packingRefs = Promise.resolve();
  /** When (milliseconds of the monotonic clock) what uploads left here was last removed (uploads.ts). */
  uploadsSweptAt: number | undefined = undefined;
  /** Somebody has read since the patrol passed (patrol.ts). */
  touched = false;
  /** What a dead process left here has been removed. */
  swept = false;
  flight: Flight | undefined = undefined;
  waiting = 0;

  /** Somebody works on its files (live.ts): it serves nobody, and nothing of ours touches it. */
  outOfService: OutOfService | undefined = undefined;
  /** After a failure: until when (milliseconds of the monotonic clock) it is answered with instead of tried again. */
  failure: { error: unknown; until: number; count: number } | undefined = undefined;

  constructor(root: string, id: string, name: string, objectFormat: "sha1" | "sha256") {
    this.id = id;
    this.name = name;
    this.objectFormat = objectFormat;
    this.gitDir = replicaPath(root, name);
    this.mutex = new ReplicaMutex(this);
  }

  /** The version whose refs are on disk; undefined: not looked at yet by this process, or in doubt. */
  get applied(): Version | undefined {
    return this.#applied;
  }

  set applied(version: Version | undefined) {
    this.#applied = version;
    if (version !== undefined) Object.assign(this.mutex, { mistrusted: false, changedByOthers: false });
    this.unchangedSince = performance.now();
  }
}

/** Where the replica of a repository lies. */
export function replicaPath(root: string, name: string): string {
  return join(root, `${name}.git`);
}

export class Replicas {
  /** Held while a replica is tidied, for a few seconds at most. */
  readonly tidying = new Mutex();
  /** Devices that were of no help when they were asked for objects. */
  readonly slowSources = new SlowSources();
  readonly #root: string;
  readonly #byId = new Map<string, Replica>();
  readonly #byName = new Map<string, Replica>();

  constructor(root: string) {
    this.#root = root;
  }

  /** The one object for a repository's replica; a renamed repository gets a new one, which looks at its disk afresh. */
  get(repository: { id: string; name: string; objectFormat: "sha1" | "sha256" }): Replica {
    const known = this.#byId.get(repository.id);
    if (known?.name === repository.name) return known;
    const replica = new Replica(this.#root, repository.id, repository.name, repository.objectFormat);
    this.#byId.set(repository.id, replica);
    this.#byName.set(repository.name, replica);
    return replica;
  }

  find(id: string): Replica | undefined {
    return this.#byId.get(id);
  }

  /** The repositories that this process has touched. */
  ids(): string[] {
    return [...this.#byId.keys()];
  }

  /** One that somebody was about to read since it was last returned here. */
  nextTouched(): Replica | undefined {
    const next = [...this.#byId.values()].find(({ touched }) => touched);
    if (next) next.touched = false;
    return next;
  }

  /** Those on whose files somebody works. */
  outOfService(): Replica[] {
    return [...this.#byId.values()].filter(({ outOfService }) => outOfService !== undefined);
  }

  findByName(name: string): Replica | undefined {
    return this.#byName.get(name);
  }
}
