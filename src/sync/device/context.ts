// The dependencies of all rooms of sync/: the database, the root, the other devices, and the lease.
import type { BlockList } from "node:net";
import type { Readable } from "node:stream";
import type { Logger } from "pino";
import type { EventLog } from "../../activity/event-log.ts";
import type { Incarnation, RefFormat } from "../../domain.ts";
import type { GitCredentials } from "../../git/objects/git-fetch.ts";
import type { HoldRequestBody, PackRequestBody } from "../../git/peers/pack-requests.ts";
import type { GitContext } from "../../git/process.ts";
import type { ReceivePolicies } from "../../git/receive-policy.ts";
import type { SshTarget } from "../../ssh/options.ts";
import type { Database } from "../../store/database/database.ts";
import type { Which } from "../../store/replica/holdings.ts";
import type { Metrics } from "../../telemetry/metrics.ts";
import type { Announcer } from "../lease/announcer.ts";
import type { HeadReader } from "../lease/head-reader.ts";
import type { Lease } from "../lease/lease.ts";
import type { LogTail } from "../lease/log-tail.ts";
import type { Replicas } from "./replicas.ts";
import type { Sessions } from "./sessions.ts";

/** A device that may be asked for objects. */
export interface Peer {
  readonly device: string;
  /** host:port of its git port; empty: it has none. */
  readonly gitAddress: string;
  /** host:port of its sshd and the account there; empty: it cannot be reached over ssh. */
  readonly sshAddress?: string;
  readonly sshUser?: string;
}

/** How ssh leads to another device. */
export type SshWay = Omit<SshTarget, "hostKeys">;

/** ssh between devices, as operators and sshd ask for it. */
export interface SshAccess {
  /**
   * Returns the lines of authorized_keys for all trusted devices, or for the device with that key only. `shell`: the
   * program that the lines force; undefined: the one in this root.
   */
  readonly authorizedKeys: (key: string | undefined, shell: string | undefined) => string[];
  /** Returns the way to a device. Throws DEVICE_NOT_FOUND, KEY_NOT_FOUND, PREREQUISITE_MISSING. */
  readonly way: (host: string, port: number | undefined) => Promise<SshWay>;
}

/** Settings of the work that keeps replicas healthy, in the background. */
export interface Upkeep {
  /** How many threads, and MiB for each, gc takes to search for deltas. */
  readonly threads: number;
  readonly windowMemory: number;
  /** Within this time every replica is verified in full; 0: never by itself. */
  readonly scrubDays: number;
}

/** What other devices may fetch by its id (sync/objects/fetchable.ts). */
export interface FetchableIds {
  /** Lets a device that is asked to copy these objects fetch them, until the result is disposed of. */
  offer(repositoryId: string, device: string, ids: readonly string[]): Disposable;
  /** Notes ids that were read from the log. */
  note(repositoryId: string, ids: readonly string[]): void;
  /** Throws PERMISSION_DENIED unless the device may fetch each of these objects. */
  check(device: string, repositoryId: string, wants: readonly string[]): Promise<void>;
  /** Returns whether the device is asked to copy each of these objects now. */
  isOffered(device: string, repositoryId: string, wants: readonly string[]): boolean;
}

export interface SyncContext {
  readonly db: Database;
  readonly me: Incarnation;
  readonly zone: string;
  readonly git: GitContext;
  readonly policies: ReceivePolicies;
  readonly root: string;
  readonly socketDir: string;
  /** The ref format of replicas that are made here. */
  readonly refFormat: RefFormat;
  /** The target of hooks/proc-receive in every replica. */
  readonly shim: string;
  /**
   * The epoch of the root. A note beside a replica counts only if it was written in this epoch
   * (git/root/root-record.ts).
   */
  readonly epoch: string;
  readonly replicas: Replicas;
  /** Returns true if the device holds the repository or should hold it. undefined: there is no such repository. */
  readonly holds: (device: string, which: Which) => Promise<boolean | undefined>;
  /** What other devices may fetch by its id. */
  readonly fetchable: FetchableIds;
  readonly heads: HeadReader;
  readonly lease: Lease;
  readonly announcer: Announcer;
  /** How far the log of the whole cluster may be told to those who watch it. */
  readonly tail: LogTail;
  readonly sessions: Sessions;
  /** Asks a peer for a pack over the pack stream. git/peers/pack-stream.ts says how it rejects. */
  readonly openPack: (
    peer: Peer,
    request: PackRequestBody,
    signal: AbortSignal,
    onAlive: () => void,
  ) => Promise<Readable>;
  /** Has a peer fetch objects from this device and keep them (git/peers/pack-stream.ts). */
  readonly requestHold: (
    peer: Peer,
    request: HoldRequestBody,
    signal: AbortSignal,
    onAlive: () => void,
  ) => Promise<void>;
  /** Asks a peer about a directory below its root (sync/adopt/look-at-directory.ts). Throws SOURCE_FAILED. */
  readonly askDirectory: (peer: Peer, question: object, signal: AbortSignal) => Promise<unknown>;
  readonly ssh: SshAccess;
  /** For stock git, when a peer has no pack stream. */
  readonly gitCredentials: GitCredentials;
  /** Returns what an operator should know of this device now, a sentence each. */
  readonly warnings: () => readonly string[];
  readonly log: Logger;
  readonly metrics: Metrics;
  /** What the push log and the pull log will say. */
  readonly events: EventLog;
  /** Aborts when the lease is lost or the process ends. All work stops then, with its git children. */
  readonly signal: AbortSignal;
  /** Called when another incarnation has the device: this process must end. */
  readonly onFenced: () => void;
  readonly upkeep: Upkeep;
  /** The addresses to which webhooks may lead; undefined: all that a receiver may have (io/hook-url.ts). */
  readonly hookAddresses: BlockList | undefined;
  /** How long the sidecar asks for the outcome of a write before it cuts the pusher off without one. */
  readonly inDoubtMs: number;
}
