// Says what an error of the database means for the caller. One table leads from a SQLSTATE, or its class of two
// characters, to one of four verdicts.
// - outage: the database cannot be used now. Nobody knows whether the statement took effect. The same call may work
//   later.
// - race: another transaction was in the way, and this one was rolled back whole. The same statement runs again at
//   once.
// - refusal: the database will answer the same the next time. The error says what somebody has to change.
// - bug: nobody foresaw it. The caller gets INTERNAL with an id, the log has the error. Every SQLSTATE that is not in
//   the table is a bug.
import pg from "pg";
import { describe, type ErrorCode, LockstepError } from "../../errors.ts";

export type Verdict = "outage" | "race" | "refusal" | "bug";

interface Row {
  readonly verdict: Verdict;
  /** The code of a refusal. Outages and races have DATABASE_UNAVAILABLE, bugs INTERNAL. */
  readonly code?: ErrorCode;
  /** The advice that follows the words of the server. */
  readonly remedy?: string;
  /** The server ends the session with this error. A connection that was idle may have got the error long ago. */
  readonly endsSession?: true;
}

const URL_SETTINGS = "in the database URL (LOCKSTEP_DATABASE_URL, --database-url or the file of --database-url-file)";
const TRY_AGAIN = "try again, and see whether PostgreSQL runs and can be reached";
const OUTAGE: Row = { verdict: "outage" };
const RACE: Row = { verdict: "race", remedy: "another transaction was in the way each time; try again" };
const wrongUrl = (remedy: string): Row => ({
  verdict: "refusal",
  code: "DATABASE_UNAVAILABLE",
  remedy: `${remedy} ${URL_SETTINGS}`,
});
const wrongText: Row = {
  verdict: "refusal",
  code: "INVALID_REQUEST",
  remedy: "leave out characters that PostgreSQL cannot hold in a text, such as a NUL character",
};
const tooLarge: Row = { verdict: "refusal", code: "INVALID_REQUEST", remedy: "send something shorter" };
const otherSchema: Row = {
  verdict: "refusal",
  code: "PREREQUISITE_MISSING",
  remedy: "the schema is not the one of this program: run `lockstep migrate`, then start this sidecar again",
};

/** SQLSTATE or class → its meaning. A whole SQLSTATE goes before its class. */
export const SQLSTATES: Readonly<Record<string, Row>> = {
  // Connection exceptions. A pooler says 08P01 when it has lost its server.
  "08": { ...OUTAGE, endsSession: true },
  "22001": tooLarge,
  "22003": { verdict: "refusal", code: "INVALID_REQUEST", remedy: "send a smaller number" },
  "22021": wrongText,
  "22P05": wrongText,
  "25006": {
    ...OUTAGE,
    remedy:
      "it takes no writes, being a standby or with default_transaction_read_only on: give the URL of the primary, or turn that off",
  },
  "25P03": { ...OUTAGE, endsSession: true },
  "25P04": {
    ...OUTAGE,
    endsSession: true,
    remedy: "set transaction_timeout to 0 for this user",
  },
  "28000": wrongUrl("let this user in by pg_hba.conf, or correct it or sslmode"),
  "28P01": wrongUrl("correct the user or the password"),
  "3D000": wrongUrl("create that database, or correct its name"),
  "3F000": otherSchema,
  "40000": RACE,
  "40001": RACE,
  // Nobody knows whether the transaction was committed.
  "40003": OUTAGE,
  "40P01": RACE,
  "42501": {
    verdict: "refusal",
    code: "PREREQUISITE_MISSING",
    remedy:
      "grant it to this user, or use the user that migrated the schema: the login of a device acts for that device only, and an operator takes --owner-url-file (docs/security.md)",
  },
  "42883": otherSchema,
  "42P01": otherSchema,
  "53": OUTAGE,
  "53100": { ...OUTAGE, remedy: "make room on the disk of the database" },
  "53300": { ...OUTAGE, remedy: "raise max_connections, or end connections that nobody needs" },
  "54": tooLarge,
  // "Recovery is in progress": a standby was asked for something that only a primary has.
  "55000": OUTAGE,
  "55P03": RACE,
  "57": OUTAGE,
  "57P01": { ...OUTAGE, endsSession: true },
  "57P02": { ...OUTAGE, endsSession: true },
  "57P04": { ...OUTAGE, endsSession: true },
  "57P05": { ...OUTAGE, endsSession: true },
  // The server's disk and files.
  "58": OUTAGE,
  // "raise exception": no function of this schema does that.
  P0001: {
    verdict: "refusal",
    code: "PREREQUISITE_MISSING",
    remedy: "a trigger that is not of Lockstep raised this: let it pass the statements of this user",
  },
  // The lock file of a server that is starting or stopping.
  F0: OUTAGE,
};

const BUG: Row = { verdict: "bug" };
/** A migration replaced the function between the moment when the server found its name and the call (XX000). */
const REPLACED = /^cache lookup failed for function \d+$/;
const SOCKET: Row = { ...OUTAGE, endsSession: true };
/** Messages of pg from the time before there is a session, which have no SQLSTATE. */
const BEFORE_A_SESSION: readonly (readonly [RegExp, Row])[] = [
  [/client password must be a/, wrongUrl("give a password")],
  [/SASL|SCRAM/, wrongUrl("correct the password, or let this user in by pg_hba.conf another way")],
  [/does not support SSL/, wrongUrl("turn on ssl in the server, or correct sslmode")],
  [/certificate|altnames/i, wrongUrl("correct sslrootcert, or sslmode")],
];

function rowOf(error: unknown): Row {
  if (error instanceof pg.DatabaseError) {
    const state = error.code ?? "";
    if (state === "XX000" && REPLACED.test(error.message)) return RACE;
    return SQLSTATES[state] ?? SQLSTATES[state.slice(0, 2)] ?? BUG;
  }
  // A mistake in this program, before anything went to the server. Node's own errors of these classes have a code and
  // come from a socket.
  const { code } = error as { code?: unknown };
  const isMistake = error instanceof TypeError || error instanceof RangeError || error instanceof ReferenceError;
  if (isMistake && code === undefined) return BUG;
  return BEFORE_A_SESSION.find(([said]) => said.test(describe(error)))?.[1] ?? SOCKET;
}

/** Returns the verdict on an error of the database, or of the way to it. */
export function verdictOf(error: unknown): Verdict {
  return rowOf(error).verdict;
}

/** Returns true when the error ended the session: every further statement on that connection fails as well. */
export function hasEndedSession(error: unknown): boolean {
  return rowOf(error).endsSession === true;
}

/** Returns true when the database would give the same answer again. */
export function isPermanent(error: unknown): boolean {
  return error instanceof LockstepError ? error.code !== "DATABASE_UNAVAILABLE" : verdictOf(error) === "bug";
}

/**
 * Returns the error that the caller is told: a LockstepError with a code and a sentence. A bug is returned as it is.
 */
export function asTold(error: unknown): unknown {
  if (error instanceof LockstepError) return error;
  const { verdict, code = "DATABASE_UNAVAILABLE", remedy = TRY_AGAIN } = rowOf(error);
  if (verdict === "bug") return error;
  const state = (error as { code?: unknown }).code;
  const said = describe(error) || String(state ?? "no details");
  const what =
    verdict !== "refusal"
      ? "The database cannot be used now"
      : code === "DATABASE_UNAVAILABLE"
        ? "The database refuses the connection"
        : "The database refuses this";
  const details: Record<string, string> = error instanceof pg.DatabaseError ? { sqlstate: String(state) } : {};
  return new LockstepError(code, `${what} (${said}); ${remedy}.`, { cause: error, details });
}

/** Makes the error DATABASE_UNAVAILABLE for a reason that is no error of PostgreSQL. */
export function unavailableError(said: string): LockstepError {
  return new LockstepError("DATABASE_UNAVAILABLE", `The database cannot be used now (${said}); ${TRY_AGAIN}.`);
}
