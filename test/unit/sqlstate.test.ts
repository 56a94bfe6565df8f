// Every class of SQLSTATE (PostgreSQL's appendix A), and what whoever asked is told.
import pg from "pg";
import { describe, expect, it } from "vitest";
import { LockstepError } from "../../src/errors.ts";
import {
  asTold,
  hasEndedSession,
  isPermanent,
  SQLSTATES,
  type Verdict,
  verdictOf,
} from "../../src/store/database/sqlstate.ts";

function databaseError(code: string, message = "said by the server"): pg.DatabaseError {
  return Object.assign(new pg.DatabaseError(message, 0, "error"), { code });
}

/** A SQLSTATE of each class, and those that are another matter than the rest of their class. */
const EXPECTED: Readonly<Record<Verdict, readonly string[]>> = {
  outage: [
    ..."08000 08003 08006 08001 08004 08P01".split(" "),
    ..."25006 25P03 25P04 40003".split(" "),
    ..."53000 53100 53200 53300 53400 55000".split(" "),
    ..."57000 57014 57P01 57P02 57P03 57P04 57P05".split(" "),
    ..."58000 58030 58P01 58P02 F0000 F0001".split(" "),
  ],
  race: "40000 40001 40P01 55P03".split(" "),
  refusal: [
    ..."22001 22003 22021 22P05 28000 28P01 3D000 3F000".split(" "),
    ..."42501 42883 42P01 54000 54001 54011 54023 P0001".split(" "),
  ],
  bug: [
    ..."00000 01000 02000 03000 09000 0A000 0B000 0F000 0L000 0P000 0Z000 10608 20000 21000".split(" "),
    ..."22000 22012 22P02 23000 23502 23503 23505 23514 24000 25000 25001 25P01 25P02 26000 27000".split(" "),
    ..."2B000 2D000 2F000 34000 38000 39000 3B000 40002 42000 42601 42703 42P08 44000 55006 55P02".split(" "),
    ..."HV000 P0000 P0004 XX000 XX001 XX002 99999".split(" "),
  ],
};

describe("an error of PostgreSQL", () => {
  for (const [verdict, states] of Object.entries(EXPECTED)) {
    it.each(states)(`is ${verdict === "outage" ? "an" : "a"} ${verdict} with SQLSTATE %s`, (state) => {
      const error = databaseError(state);
      expect(verdictOf(error)).toBe(verdict);
      const told = asTold(error);
      if (verdict === "bug") expect(told).toBe(error);
      else {
        expect(told).toBeInstanceOf(LockstepError);
        expect(told).toMatchObject({
          details: { sqlstate: state },
          message: expect.stringMatching(/^The database .+\.$/),
        });
        expect(told).toMatchObject({ message: expect.stringContaining("said by the server") });
      }
    });
  }

  it("is a race where a migration has replaced a function, and a bug where anything else is gone", () => {
    const gone = (what: string) =>
      Object.assign(new pg.DatabaseError(`cache lookup failed for ${what} 16385`, 0, "error"), { code: "XX000" });
    expect(verdictOf(gone("function"))).toBe("race");
    expect(verdictOf(gone("relation"))).toBe("bug");
  });

  it("is in this test if the table has it", () => {
    const tried = Object.values(EXPECTED).flat();
    for (const state of Object.keys(SQLSTATES)) expect(tried.some((each) => each.startsWith(state))).toBe(true);
  });

  it("is told to be tried again only where that helps", () => {
    const tryAgain = (state: string) => /try again/.test((asTold(databaseError(state)) as Error).message);
    for (const state of EXPECTED.refusal) expect([state, tryAgain(state)]).toEqual([state, false]);
    for (const state of ["08006", "57014", "57P01", ...EXPECTED.race])
      expect([state, tryAgain(state)]).toEqual([state, true]);
  });

  it("is asked about again only while it may have another answer", () => {
    expect(isPermanent(asTold(databaseError("57P01")))).toBe(false);
    expect(isPermanent(asTold(databaseError("40001")))).toBe(false);
    expect(isPermanent(asTold(databaseError("42501")))).toBe(true);
    expect(isPermanent(asTold(databaseError("54000")))).toBe(true);
    expect(isPermanent(asTold(databaseError("XX000")))).toBe(true);
  });

  it("ends a session, or leaves it as it is", () => {
    for (const state of ["08006", "57P01", "57P02", "57P05", "25P03", "25P04"])
      expect([state, hasEndedSession(databaseError(state))]).toEqual([state, true]);
    for (const state of ["57014", "40001", "42501", "XX000"])
      expect([state, hasEndedSession(databaseError(state))]).toEqual([state, false]);
  });
});

describe("an error before there is a session", () => {
  it.each([
    ["connect ECONNREFUSED 127.0.0.1:5432", /cannot be used now .*try again/],
    ["Connection terminated unexpectedly", /cannot be used now .*try again/],
    ["SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string", /refuses the connection .*give a password/],
    ["The server does not support SSL connections", /refuses the connection .*correct sslmode/],
    ["self-signed certificate in certificate chain", /refuses the connection .*correct sslrootcert, or sslmode/],
  ])("is told with what to do about it: %s", (message, told) => {
    expect(asTold(new Error(message))).toMatchObject({
      code: "DATABASE_UNAVAILABLE",
      message: expect.stringMatching(told),
    });
  });

  it("is no outage when this program made a mistake", () => {
    const mistake = new TypeError("cannot read properties of undefined");
    expect(verdictOf(mistake)).toBe("bug");
    expect(asTold(mistake)).toBe(mistake);
  });
});
