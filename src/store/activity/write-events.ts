// Adds rows to the push log and to the pull log, many with one statement. Nobody waits for it, so the server may forget
// the last ones when it crashes.
import type { Client, PullEvent, PushEvent } from "../../activity/activity.ts";
import { type Database, queryOnce } from "../database/database.ts";

/** How old a row is, in milliseconds. The database's clock then tells when it was. */
function age(endedAt: number): number {
  return Math.max(0, performance.now() - endedAt);
}

function ofClient({ author, address, way, requestId }: Client) {
  return { author, address, way, request_id: requestId };
}

const QUICK = "with quick as materialized (select set_config('synchronous_commit', 'off', true))";

/** The columns that both logs have, as they come in JSON, and the expressions that make them. */
const COMMON = `age_ms double precision, author text, address text, way text, request_id text, repository text, repository_id uuid,
  result text, version bigint, code text, reason text, duration_ms integer`;
const NAMES =
  "at, device, repository_id, repository, author, address, way, request_id, result, version, code, reason, duration_ms";
const VALUES = `now() - e.age_ms * interval '1 millisecond', $1, coalesce(e.repository_id, (select r.id from lockstep.repository r where r.name = e.repository)), e.repository,
  e.author, e.address, e.way, e.request_id, e.result, e.version, e.code, e.reason, e.duration_ms`;

/** Adds the pushes that a device has answered. If the answer of the database is lost, they may be there or not. */
export async function insertPushes(db: Database, device: string, pushes: readonly PushEvent[]): Promise<void> {
  const rows = pushes.map((push) => ({
    ...ofClient(push.client),
    age_ms: age(push.endedAt),
    repository: push.repository,
    repository_id: push.repositoryId,
    result: push.result,
    version: push.version === null ? null : String(push.version),
    code: push.code,
    reason: push.reason,
    refs: push.refs,
    refs_total: push.refsTotal,
    duration_ms: Math.round(push.durationMs),
    ...Object.fromEntries(Object.entries(push.waits).map(([what, ms]) => [`${what}_ms`, Math.round(ms)])),
  }));
  const waits = "host_ms, database_ms, copies_ms, writers_ms, reads_ms, hooks_ms";
  await queryOnce(
    db.work,
    `${QUICK}
     insert into lockstep.push_event (${NAMES}, refs, refs_total, ${waits})
     select ${VALUES}, e.refs, e.refs_total, ${waits.replaceAll(/\w+/g, "e.$&")}
     from quick, jsonb_to_recordset($2::jsonb) e (${COMMON}, refs jsonb, refs_total integer, ${waits.replaceAll(/\w+/g, "$& integer")})
     order by e.age_ms desc`,
    [device, JSON.stringify(rows)],
  );
}

/** Adds the reads that a device has answered, and for how many reads each row stands. Else as `insertPushes`. */
export async function insertPulls(
  db: Database,
  device: string,
  pulls: readonly { readonly pull: PullEvent; readonly standsFor: number }[],
): Promise<void> {
  const rows = pulls.map(({ pull, standsFor }) => ({
    ...ofClient(pull.client),
    age_ms: age(pull.endedAt),
    repository: pull.repository,
    repository_id: pull.repositoryId,
    what: pull.what,
    result: pull.result,
    version: pull.version === null ? null : String(pull.version),
    code: pull.code,
    reason: pull.reason,
    wait_ms: Math.round(pull.waitMs),
    duration_ms: Math.round(pull.durationMs),
    stands_for: standsFor,
  }));
  await queryOnce(
    db.work,
    `${QUICK}
     insert into lockstep.pull_event (${NAMES}, what, wait_ms, stands_for)
     select ${VALUES}, e.what, e.wait_ms, e.stands_for
     from quick, jsonb_to_recordset($2::jsonb) e (${COMMON}, what text, wait_ms integer, stands_for integer)
     order by e.age_ms desc`,
    [device, JSON.stringify(rows)],
  );
}
