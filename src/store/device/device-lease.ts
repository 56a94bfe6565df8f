// The lease of the one live sidecar of a device, by the database's clock.

import type { Incarnation } from "../../domain.ts";
import type { DiskRoom } from "../../health/disk-room.ts";
import { WAITS } from "../../waits.ts";
import { type Database, queryOnceRow, queryRepeatable, queryRepeatableRow } from "../database/database.ts";
import { epochMs } from "../database/instant.ts";

export interface TakeOverRequest {
  readonly device: string;
  readonly incarnation: string;
  readonly rootId: string;
  readonly grpcAddress: string;
  readonly gitAddress: string;
  /** Where other devices reach it over ssh, if they do. */
  readonly sshAddress?: string;
  readonly sshUser?: string;
  readonly zone: string;
}

export type TakeOver =
  | { outcome: "removed" }
  | { outcome: "held"; waitMs: number }
  | { outcome: "taken"; incarnation: Incarnation; previousFence: bigint; interrupted: string[]; timeline: string };

/**
 * Takes the device over: a new fence, and the staged writes of the old incarnation are dropped. `interrupted` has the
 * ids of their repositories. The caller holds the operating system's lock on the root, so no process of an old sidecar
 * works on that root. "removed": an operator has removed the device. "held": the device was last served from another
 * root, whose lease still runs for `waitMs`.
 */
export async function takeOver(db: Database, request: TakeOverRequest): Promise<TakeOver> {
  const row = await queryOnceRow<{
    outcome: "held" | "taken" | "removed";
    fence: bigint;
    previous_fence: bigint;
    wait_ms: number;
    interrupted: string[];
    timeline: string;
  }>(
    db.lease,
    `select outcome, fence, previous_fence, wait_ms, interrupted::text[] as interrupted, timeline
     from lockstep.take_over($1, $2, $3, $4::int * interval '1 millisecond', $5, $6, $7, $8, $9)`,
    [
      request.device,
      request.incarnation,
      request.rootId,
      WAITS.leaseMs,
      request.grpcAddress,
      request.gitAddress,
      request.zone,
      request.sshAddress ?? "",
      request.sshUser ?? "",
    ],
  );
  if (row.outcome === "removed") return { outcome: "removed" };
  if (row.outcome === "held") return { outcome: "held", waitMs: row.wait_ms };
  return {
    outcome: "taken",
    incarnation: { device: request.device, id: request.incarnation, fence: row.fence },
    previousFence: row.previous_fence,
    interrupted: row.interrupted,
    timeline: row.timeline,
  };
}

/**
 * Extends the lease and returns the timeline of the server, once the commit is confirmed. undefined: another
 * incarnation has the device, and this process must end. `timeline`: the server that this device believes now. If it is
 * that of the answer, the server knows that this device has left every other server. `room`: on the disk of the
 * root, for the other devices to show. undefined: not known now.
 */
export async function renewLease(
  db: Database,
  me: Incarnation,
  timeline: string,
  room?: DiskRoom,
): Promise<string | undefined> {
  const { answer } = await queryRepeatableRow<{ answer: string | null }>(
    db.lease,
    "select lockstep.renew_lease($1, $2, $3, $4, $5) as answer",
    [me.device, me.fence, timeline, room ? storable(room.freeBytes) : null, room ? storable(room.sizeBytes) : null],
  );
  return answer ?? undefined;
}

/** Some file systems say that they have no end. A number that is no bigint would let the renewal fail. */
function storable(bytes: number): bigint {
  return BigInt(Math.min(bytes, 2 ** 62));
}

/** Gives the lease back at the end of an orderly stop, so that a successor on another root need not wait for it. */
export async function releaseLease(db: Database, me: Incarnation): Promise<void> {
  await queryRepeatable(
    db.lease,
    "update lockstep.device set expires_at = clock_timestamp() where name = $1 and fence = $2",
    [me.device, me.fence],
  );
}

/** SQL: when the lease of a device "d" ended (`epochMs`). null: the device is there, or has never been. */
export const AWAY_SINCE = epochMs(
  "case when isfinite(d.expires_at) and d.expires_at <= clock_timestamp() then d.expires_at end",
);

/** Returns true when no sidecar holds the device's lease. */
export async function leaseHasEnded(db: Database, device: string): Promise<boolean> {
  const rows = await queryRepeatable(
    db.lease,
    "select 1 from lockstep.device where name = $1 and expires_at > clock_timestamp()",
    [device],
  );
  return rows.length === 0;
}
