import { describe, expect, it } from "vitest";
import { ERROR_TABLE, type ErrorCode, LockstepError } from "../../src/errors.ts";
import { toldToStrangers, withoutPaths } from "../../src/smart-http/strangers.ts";

const SECRET =
  'no pg_hba.conf entry for host "10.0.0.7", user "lockstep" at /srv/git/.lockstep; set LOCKSTEP_DATABASE_URL.';

describe("the error that strangers see", () => {
  it.each([
    "DATABASE_UNAVAILABLE",
    "SIDECAR_UNAVAILABLE",
    "NO_SOURCE",
    "SOURCE_FAILED",
    "QUEUE_FULL",
    "NOT_ENOUGH_COPIES",
    "NOT_A_REPOSITORY",
    "PREREQUISITE_MISSING",
    "GIT_FAILED",
    "INTERNAL",
    "USAGE",
  ] satisfies ErrorCode[])("is a short sentence without its details: %s", (code) => {
    const told = toldToStrangers(new LockstepError(code, SECRET));
    expect(told).toMatch(/^[\w`][^/]{10,110}\.$/);
    expect(told).not.toMatch(/pg_hba|10\.0\.0\.7|LOCKSTEP_|\/srv/);
  });

  it("is a sentence for every code, also for codes that are added later", () => {
    for (const code of Object.keys(ERROR_TABLE) as ErrorCode[])
      expect(toldToStrangers(new LockstepError(code, "The reason."))).toMatch(/\.$/);
  });

  it("says which devices should have a version, and not what others have answered", () => {
    const none =
      "No other device that holds version 7 of team/app is live; repo001 (away since X) should have it: start it.";
    expect(toldToStrangers(new LockstepError("NO_SOURCE", none))).toBe(none);
    const some = `No device could send version 7 of team/app (repo002: connect to 10.0.0.7; ${SECRET}); repo001 (away) should have it: start it.`;
    expect(toldToStrangers(new LockstepError("NO_SOURCE", some))).toBe(
      "No device could send version 7 of team/app; repo001 (away) should have it: start it.",
    );
  });

  it("names no path except the one in the request", () => {
    const told = (code: ErrorCode) => toldToStrangers(new LockstepError(code, 'Process 7 (/srv/git/x) works on "/a".'));
    expect(told("REPLICA_IN_DOUBT")).toBe('Process 7 (…) works on "…".');
    expect(told("INVALID_NAME")).toContain('"/a"');
  });

  it.each(["REPOSITORY_NOT_FOUND", "WRITES_STOPPED", "TURN_HELD", "OUTCOME_UNKNOWN"] satisfies ErrorCode[])(
    "is all of it where it says what they asked for, or whom they wait for: %s",
    (code) => expect(toldToStrangers(new LockstepError(code, "The reason."))).toBe("The reason."),
  );

  it.each([new Error(SECRET), SECRET, undefined, Object.assign(new Error(SECRET), { code: "ENOENT" })])(
    "is nothing of a bug",
    (error) => expect(toldToStrangers(error)).toBe("The server failed; tell its operator."),
  );
});

describe("git's message about a ref", () => {
  it.each([
    ["not a commit", "not a commit"],
    ["refs/heads/a/b: 'refs/heads/a' exists", "refs/heads/a/b: 'refs/heads/a' exists"],
    ["Unable to create '/srv/my git/app.git/refs/heads/x.lock': No space left", "Unable to create '…': No space left"],
    ["unable to write /srv/git/app.git/x: denied", "unable to write …: denied"],
    ["(/srv/a) and /srv/b", "(…) and …"],
  ])("is told without paths: %s", (said, told) => expect(withoutPaths(said)).toBe(told));
});
