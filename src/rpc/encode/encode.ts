// Converts the types of domain.ts and the store to messages of the protocol.
import {
  displayRef,
  type RefUpdate,
  type RefValue,
  type ReplicaState,
  toBytes,
  type WriteStatus,
} from "../../domain.ts";
import { toDuration, toTimestamp } from "../../protocol/times.ts";
import type { LogEntry } from "../../store/log/list-log.ts";
import type { Repository } from "../../store/repository/repositories.ts";
import type { Write } from "../../store/write/find-write.ts";
import type { WriteStop } from "../../store/write/write-stops.ts";

const STATES = {
  pending: "REPLICA_STATE_PENDING",
  active: "REPLICA_STATE_ACTIVE",
  broken: "REPLICA_STATE_BROKEN",
  released: "REPLICA_STATE_RELEASED",
  destroyed: "REPLICA_STATE_DESTROYED",
} as const satisfies Record<ReplicaState, string>;

const STATUSES = {
  staged: "WRITE_STATUS_STAGED",
  landed: "WRITE_STATUS_LANDED",
  dropped: "WRITE_STATUS_DROPPED",
} as const satisfies Record<WriteStatus, string>;

/** Returns the state of a replica as the protocol has it. */
export function encodeState(state: ReplicaState): (typeof STATES)[ReplicaState] {
  return STATES[state];
}

/** Returns a repository as the protocol has it. */
export function encodeRepository(repository: Repository) {
  const { name, headVersion, objectFormat, minCopies, landWithFewer, serial, stopped, placement, updateLimitMs } =
    repository;
  return {
    ...{ id: repository.id, name, headVersion: String(headVersion), objectFormat, minCopies, landWithFewer, serial },
    stopped: stopped ?? "",
    placement: [...(placement ?? [])],
    updateLimit: updateLimitMs === null ? null : toDuration(updateLimitMs),
    logBase: String(repository.logBase),
    keepLog: repository.keepLog ?? "",
  };
}

/** Returns a write as the protocol has it. */
export function encodeWrite(write: Write) {
  return {
    writeId: write.id,
    repository: write.repository,
    device: write.device,
    author: write.author,
    reason: write.reason,
    baseVersion: String(write.baseVersion),
    status: STATUSES[write.status],
    version: String(write.version ?? 0n),
    startedAt: toTimestamp(write.startedAt),
    decidedAt: toTimestamp(write.decidedAt),
    dropReason: write.dropReason ?? "",
  };
}

/** Returns a stop of writes as the protocol has it. An empty name means all repositories. */
export function encodeWriteStop({ repository, since, includesStaged, ...stop }: WriteStop) {
  return { ...stop, repository: repository ?? "", since: toTimestamp(since), closed: includesStaged };
}

/** Returns the change of a ref as the protocol has it. */
export function encodeUpdate({ name, oldValue, newValue }: RefUpdate) {
  return { name: toBytes(name), oldValue: encodeValue(oldValue), newValue: encodeValue(newValue) };
}

/**
 * Returns the value of a ref as text: an object id, or "ref: TARGET" for people to read. Returns "" for an absent ref.
 */
export function encodeValue(value: RefValue | null): string {
  return value === null ? "" : displayRef(value);
}

/** Returns an entry of the log as the protocol has it. */
export function encodeEntry({ version, landedAt, updates, ...entry }: LogEntry) {
  return { ...entry, version: String(version), landedAt: toTimestamp(landedAt), updates: updates.map(encodeUpdate) };
}

/** Commits for an operator. The store and git/ have their shape; this room may import neither. */
export function encodeCommits<Listed extends { readonly at: Date }>(list: {
  readonly commits: readonly Listed[];
  readonly more: number;
  readonly missing: readonly string[];
}) {
  return {
    ...list,
    commits: list.commits.map((commit) => ({ ...commit, at: toTimestamp(commit.at) })),
    missing: [...list.missing],
  };
}
