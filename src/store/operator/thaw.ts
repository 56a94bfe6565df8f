// Appends an operator's version to the log, after leaders or versions of the database were lost.
import { type Incarnation, type RefUpdate, type RefValue, toBytes, type Version } from "../../domain.ts";
import { type Database, queryOnceRow } from "../database/database.ts";

export interface ThawRequest {
  readonly writeId: string;
  readonly repositoryId: string;
  /** The head that the operator was shown. */
  readonly head: Version;
  readonly headDigest: Buffer;
  /** The version to append, and the digest of its refs. */
  readonly version: Version;
  readonly digest: Buffer;
  readonly updates: readonly RefUpdate[];
  readonly author: string;
  readonly action: string;
  /** Devices whose newer versions are given up. Each gets a new fence. */
  readonly demoted: readonly string[];
}

/** "old_leases": as for a write (store/write/writes.ts). */
export type ThawOutcome = "landed" | "stale" | "fenced" | "missing" | "old_leases";

/**
 * Appends the operator's version. "stale": something is not as the operator was shown it, and nothing was changed. The
 * call may be repeated with the same write id.
 */
export async function appendThaw(db: Database, me: Incarnation, request: ThawRequest): Promise<ThawOutcome> {
  const { updates } = request;
  const bytes = (value: RefValue | null) => (value === null ? null : toBytes(value));
  const detail = {
    device: me.device,
    head: String(request.head),
    version: String(request.version),
    refs: updates.length,
  };
  const { outcome } = await queryOnceRow<{ outcome: ThawOutcome }>(
    db.work,
    "select outcome from lockstep.thaw($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
    [
      request.writeId,
      request.repositoryId,
      me.device,
      me.fence,
      request.head,
      request.headDigest,
      request.version,
      request.digest,
      updates.map(({ name }) => toBytes(name)),
      updates.map(({ oldValue }) => bytes(oldValue)),
      updates.map(({ newValue }) => bytes(newValue)),
      request.author,
      request.action,
      request.demoted,
      detail,
    ],
    { decides: true },
  );
  return outcome;
}
