// Write sessions: writes that a caller makes in a scratch repository while it holds the repository's turn. The lease of a session is
// that of its ticket.
import type { Incarnation, Version } from "../domain.ts";
import { ask, askOne, type Database, query } from "./database/database.ts";
import { epochMs, intervalMs } from "./database/instant.ts";
import { TURN_TTL_MS } from "./turns.ts";
import type { Settled } from "./writes.ts";

export interface SessionRequest {
  readonly writeId: string;
  /** Of the token that the caller will have to show. */
  readonly tokenHash: Buffer;
  /** The role and name of whoever calls. */
  readonly caller: string;
  readonly repositoryId: string;
  readonly author: string;
  readonly reason: string;
}

export type Begun =
  /** `again`: it had begun before. */
  | { outcome: "begun"; base: Version; again: boolean }
  /** The id is that of a write which is over, or of another caller or device. */
  | { outcome: "used" }
  | { outcome: "drained"; reason: string }
  | { outcome: "turn" | "fenced" | "missing" };

/** Begins the session of a write that has the turn; repeated by the same caller, it answers as before. */
export async function beginSession(db: Database, me: Incarnation, request: SessionRequest): Promise<Begun> {
  const { writeId, tokenHash, repositoryId, author, reason, caller } = request;
  const row = await askOne<{ outcome: Begun["outcome"]; base: bigint; again: boolean; detail: string | null }>(
    db.work,
    "select * from lockstep.begin_session($1, $2, $3, $4, $5, $6, $7, $8)",
    [writeId, tokenHash, repositoryId, me.device, me.fence, author, reason, caller],
  );
  if (row.outcome === "begun") return { outcome: "begun", base: row.base, again: row.again };
  if (row.outcome === "drained") return { outcome: "drained", reason: row.detail ?? "" };
  return { outcome: row.outcome };
}

/** Drops a session that could not begin, and gives its ticket back, if they are that caller's on this device. */
export async function giveUpSession(
  db: Database,
  me: Incarnation,
  { writeId, caller, reason }: { writeId: string; caller: string; reason: string },
): Promise<void> {
  await ask(db.work, "select lockstep.give_up_session($1, $2, $3, $4)", [writeId, me.device, caller, reason]);
}

/** Extends the lease of a session and says until when; undefined when it has none any more. */
export async function renewSession(db: Database, me: Incarnation, writeId: string): Promise<Date | undefined> {
  const [row] = await ask<{ expires_at: bigint }>(
    db.work,
    `update lockstep.turn t set expires_at = clock_timestamp() + $4::int * interval '1 millisecond'
     from lockstep.device d, lockstep.write w
     where d.name = $2 and d.fence = $3 and w.id = $1 and w.status = 'staged' and w.session and w.device = d.name
       and t.write_id = w.id and t.expires_at > clock_timestamp()
     returning ${epochMs("t.expires_at")} as expires_at`,
    [writeId, me.device, me.fence, TURN_TTL_MS],
  );
  return row && new Date(Number(row.expires_at));
}

/** Lands a session that changed nothing, at the version it began with, unless it is over. Says what it is now. */
export async function landUnchanged(db: Database, me: Incarnation, writeId: string): Promise<Settled | undefined> {
  const row = await askOne<{ status: string | null; version: bigint | null; drop_reason: string | null }>(
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
  /** The role and name of whoever began it. */
  readonly caller: string;
  readonly author: string;
  readonly base: Version;
  readonly status: "staged" | "landed" | "dropped";
  readonly version: Version | null;
  readonly dropReason: string | null;
  readonly refsChanged: number;
  /** Since it began, until it was over. */
  readonly heldMs: number;
}

const HELD_MS = intervalMs("coalesce(w.decided_at, clock_timestamp()) - w.started_at");

/**
 * The session with that id, whatever became of it, and only with the hash of its token where one is given; undefined: there is none. Locks
 * the row, as `getWrite` does: an outcome that is told has reached the standby.
 */
export async function findSession(
  db: Database,
  repository: string,
  { writeId, tokenHash }: { writeId: string; tokenHash?: Buffer | undefined },
): Promise<Session | undefined> {
  const [row] = await ask<Session & { [column: string]: unknown }>(
    db.work,
    `select w.id as "writeId", w.repository_id as "repositoryId", w.device, w.caller, w.author, w.base_version as base, w.status, w.version,
       w.drop_reason as "dropReason", ${HELD_MS} as "heldMs",
       (select count(*)::int from lockstep.ref_log l join lockstep.ref_log_update u using (repository_id, version)
        where l.write_id = w.id) as "refsChanged"
     from lockstep.write w join lockstep.repository r on r.id = w.repository_id
     where w.id = $1 and ($2::bytea is null or w.token_hash = $2) and w.session and r.name = $3 for key share of w`,
    [writeId, tokenHash ?? null, repository],
  );
  return row;
}

/** Notes that an operator dropped the session of another caller. */
export async function noteDropped(
  db: Database,
  { author, repository, session }: { author: string; repository: string; session: Session },
): Promise<void> {
  const { device, writeId, caller } = session;
  await query(
    db.work,
    "insert into lockstep.audit (author, action, repository, device, detail) values ($1, 'drop session', $2, $3, $4)",
    [author, repository, device, { write: writeId, caller }],
  );
}

/** Drops sessions whose lease has run out, whoever's they were. */
export async function dropExpiredSessions(db: Database): Promise<void> {
  await ask(db.work, "select lockstep.drop_expired_sessions()");
}

/** What became of a session, for whoever ends it. */
export type SessionEnd = Pick<Session, "status" | "author" | "dropReason" | "heldMs">;

/** What became of sessions; those that the database does not know are absent. */
export async function sessionEnds(db: Database, writeIds: readonly string[]): Promise<Map<string, SessionEnd>> {
  const rows = await ask<SessionEnd & { id: string }>(
    db.work,
    `select w.id, w.status, w.author, w.drop_reason as "dropReason", ${HELD_MS} as "heldMs"
     from lockstep.write w where w.id = any($1::uuid[]) for key share`,
    [writeIds],
  );
  return new Map(rows.map(({ id, ...end }) => [id, end]));
}
