// The replicas as this process knows them. `applied`, not the database row, decides whether a read may pass. The
// process that put the refs on disk sets it, once they are there.
import { join } from "node:path";
import { Mutex } from "async-mutex";
import type { RefName, Version } from "../../domain.ts";
import { ObjectClaims } from "../../git/objects/object-claims.ts";
import { KeptReader } from "../../git/reading/kept-reader.ts";
import { KeptGit } from "../../git/transactions/kept-git.ts";
import { UnsyncedRefs } from "../../git/transactions/unsynced-refs.ts";
import type { CopiesRule } from "../../store/write/writes.ts";
import { RefHistory } from "./ref-history.ts";
import { type OnHeld, ReplicaMutex } from "./replica-mutex.ts";

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
  /** The devices that are being asked for objects. */
  readonly asking: Set<string>;
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

/** Below every version: the replica's row does not say that it may be used, or this process does not know. */
export const UNRECORDED: Version = -1n;

/** Holds the state of one replica as this process knows it. */
export class Replica {
  readonly id: string;
  /** The name for which the directory is at its place. The repository may have been renamed a moment ago. */
  name: string;
  readonly objectFormat: "sha1" | "sha256";
  gitDir: string;
  /** Held while refs change. Objects arrive without it. First come, first served. */
  readonly mutex: ReplicaMutex;
  /** The git that writes the refs. It stays between transactions that follow each other closely. */
  readonly keptGit = new KeptGit();
  /** The refs that were written and not synced yet. */
  readonly unsynced = new UnsyncedRefs();
  /** The git that reads objects. To be ended when objects were removed. */
  readonly keptReader = new KeptReader();
  /** What has changed between the last versions that were applied. */
  readonly history = new RefHistory();
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
  recorded: Version = UNRECORDED;
  /** The newest version of a write of this device whose refs were not put on the disk when it landed. */
  landed: Version = 0n;
  /** The newest version of an operator that this process has applied. It gives up older ones. */
  settled: Version = 0n;
  /** The rule of the repository when a write was last staged here. */
  copiesRule: CopiesRule = { atLeast: 1, orFewer: false };
  /** Resolves when no statement that records a version is under way (replica/apply.ts). */
  lastRecord: Promise<unknown> = Promise.resolve();
  /** The record of versions in the background (write/commit.ts). */
  readonly recording = { isDue: false, isUnderWay: false, done: Promise.resolve() };
  /** The key of the repository's digests, which never changes. undefined: no write was staged here yet. */
  digestKey: Buffer | undefined = undefined;
  /**
   * The refs that keep objects of other devices' writes here for a while (copies/hold-objects.ts). undefined: not read
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

  constructor(root: string, id: string, name: string, objectFormat: "sha1" | "sha256", onHeld?: OnHeld) {
    this.id = id;
    this.name = name;
    this.objectFormat = objectFormat;
    this.gitDir = replicaPath(root, name);
    this.mutex = new ReplicaMutex(this, onHeld);
  }

  /**
   * The version whose refs are on disk. undefined: this process has not looked at the replica yet, or it is in doubt.
   */
  get applied(): Version | undefined {
    return this.#applied;
  }

  set applied(version: Version | undefined) {
    this.#applied = version;
    if (version === undefined) this.history.doubt();
    else this.history.arrive(version);
    if (version !== undefined) Object.assign(this.mutex, { mistrusted: false, changedByOthers: false });
    this.unchangedSince = performance.now();
  }
}

/** Returns the path of a repository's replica. */
export function replicaPath(root: string, name: string): string {
  return join(root, `${name}.git`);
}
