// Write sessions: a caller makes the write in a scratch repository while it holds the repository's turn. The lease of a
// session is that of its ticket.
import type { Incarnation, Version } from "../../domain.ts";
import { WAITS } from "../../waits.ts";
import { type Database, queryOnce, queryRepeatable, queryRepeatableRow } from "../database/database.ts";
import { epochMs, intervalMs } from "../database/instant.ts";
import { NAMED } from "./find-write.ts";
import type { Settled } from "./writes.ts";

export interface SessionRequest {
  readonly writeId: string;
  /** SHA-256 of the token that the caller will have to show. */
  readonly tokenHash: Buffer;
  /** The role and name of the caller. */
  readonly caller: string;
  readonly repositoryId: string;
  readonly author: string;
  readonly reason: string;
}

export type Begun =
  /** `again`: the session had begun before. */
  | { outcome: "begun"; base: Version; again: boolean }
  /** The id is that of a write that is over, or of another caller or device. */
  | { outcome: "used" }
  | { outcome: "stopped"; reason: string }
  | { outcome: "turn" | "fenced" | "missing" }
  /** This device takes no writes. */
  | { outcome: "elsewhere" };

/** Begins the session of a write that has the turn. If the same caller repeats the call, it gets the same answer. */
export async function beginSession(db: Database, me: Incarnation, request: SessionRequest): Promise<Begun> {
  const { writeId, tokenHash, repositoryId, author, reason, caller } = request;
  const row = await queryRepeatableRow<{
    outcome: Begun["outcome"];
    base: bigint;
    again: boolean;
    detail: string | null;
  }>(db.work, "select * from lockstep.begin_session($1, $2, $3, $4, $5, $6, $7, $8)", [
    writeId,
    tokenHash,
    repositoryId,
    me.device,
    me.fence,
    author,
    reason,
    caller,
  ]);
  if (row.outcome === "begun") return { outcome: "begun", base: row.base, again: row.again };
  if (row.outcome === "stopped") return { outcome: "stopped", reason: row.detail ?? "" };
  return { outcome: row.outcome };
}

/**
 * Drops a session that could not begin, and deletes its ticket. It touches only those of that caller on this device.
 */
export async function giveUpSession(
  db: Database,
  me: Incarnation,
  { writeId, caller, reason }: { writeId: string; caller: string; reason: string },
): Promise<void> {
  await queryRepeatable(db.work, "select lockstep.give_up_session($1, $2, $3, $4)", [
    writeId,
    me.device,
    caller,
    reason,
  ]);
}

/** Extends the lease of a session and returns when it ends. undefined: the session has no lease any more. */
export async function renewSession(db: Database, me: Incarnation, writeId: string): Promise<Date | undefined> {
  const [row] = await queryRepeatable<{ expires_at: bigint }>(
    db.work,
    `update lockstep.turn t set expires_at = clock_timestamp() + $4::int * interval '1 millisecond'
     from lockstep.device d, lockstep.write w
     where d.name = $2 and d.fence = $3 and w.id = $1 and w.status = 'staged' and w.session and w.device = d.name
       and t.write_id = w.id and t.expires_at > clock_timestamp()
     returning ${epochMs("t.expires_at")} as expires_at`,
    [writeId, me.device, me.fence, WAITS.turnMs],
  );
  return row && new Date(Number(row.expires_at));
}

/**
 * Lands a session that changed nothing, at the version it began with, unless it is over. Returns its outcome;
 * undefined: it has none.
 */
export async function landUnchanged(db: Database, me: Incarnation, writeId: string): Promise<Settled | undefined> {
  const row = await queryRepeatableRow<{ status: string | null; version: bigint | null; drop_reason: string | null }>(
    db.work,
    "select * from lockstep.land_unchanged($1, $2, $3)",
    [writeId, me.device, me.fence],
  );
  if (row.status === "landed") return { status: "landed", version: row.version as Version };
  return row.status === "dropped" ? { status: "dropped", reason: row.drop_reason ?? "" } : undefined;
}

export interface Session {
  readonly writeId: string;
  readonly repositoryId: string;
  readonly device: string;
  /** The role and name of the caller that began it. */
  readonly caller: string;
  readonly author: string;
  readonly base: Version;
  readonly status: "staged" | "landed" | "dropped";
  readonly version: Version | null;
  readonly dropReason: string | null;
  readonly refsChanged: number;
  /** Milliseconds from its begin to its end, or until now. */
  readonly heldMs: number;
}

const HELD_MS = intervalMs("coalesce(w.decided_at, clock_timestamp()) - w.started_at");

/**
 * Returns the session with that id, also one that is over. If a token hash is given, it must be the session's.
 * undefined: there is none. The row is locked, as in `getWrite`: the standby has every outcome that is told.
 */
export async function findSession(
  db: Database,
  repository: string,
  { writeId, tokenHash }: { writeId: string; tokenHash?: Buffer | undefined },
): Promise<Session | undefined> {
  const [row] = await queryRepeatable<Session & { [column: string]: unknown }>(
    db.work,
    `select w.id as "writeId", w.repository_id as "repositoryId", w.device, w.caller, w.author, w.base_version as base, w.status, w.version,
       w.drop_reason as "dropReason", ${HELD_MS} as "heldMs",
       (select count(*)::int from lockstep.ref_log l join lockstep.ref_log_update u using (repository_id, version)
        where l.write_id = w.id) as "refsChanged"
     from lockstep.write w join lockstep.repository r on r.id = w.repository_id
     where w.id = $1 and ($3::bytea is null or w.token_hash = $3) and w.session and ${NAMED} for key share of w`,
    [writeId, repository, tokenHash ?? null],
  );
  return row;
}

/** Records that an operator dropped the session of another caller. */
export async function noteDropped(
  db: Database,
  { author, repository, session }: { author: string; repository: string; session: Session },
): Promise<void> {
  const { device, writeId, caller } = session;
  await queryOnce(
    db.work,
    "insert into lockstep.audit (author, action, repository, device, detail) values ($1, 'drop session', $2, $3, $4)",
    [author, repository, device, { write: writeId, caller }],
  );
}

/** Drops the sessions of all devices whose lease has run out. */
export async function dropExpiredSessions(db: Database): Promise<void> {
  await queryRepeatable(db.work, "select lockstep.drop_expired_sessions()");
}

/** The outcome of a session, for the code that ends it on its device. */
export type SessionEnd = Pick<Session, "status" | "author" | "dropReason" | "heldMs"> & {
  /** The name that its repository has now. */
  readonly repository: string;
  /** Its repository was removed, and may be restored. */
  readonly removed: boolean;
};

/** Returns the outcomes of sessions by id. Sessions that the database does not know are absent. */
export async function sessionEnds(db: Database, writeIds: readonly string[]): Promise<Map<string, SessionEnd>> {
  const rows = await queryRepeatable<SessionEnd & { id: string }>(
    db.work,
    `select w.id, w.status, w.author, w.drop_reason as "dropReason", ${HELD_MS} as "heldMs", r.name as repository,
       r.removed_at is not null as removed
     from lockstep.write w join lockstep.repository r on r.id = w.repository_id
     where w.id = any($1::uuid[]) for key share of w`,
    [writeIds],
  );
  return new Map(rows.map(({ id, ...end }) => [id, end]));
}
