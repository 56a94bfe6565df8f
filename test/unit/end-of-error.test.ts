import { describe, expect, it } from "vitest";
import { type ErrorCode, LockstepError } from "../../src/errors.ts";
import { endOfError } from "../../src/queue/end-of-error.ts";
import { WAITS } from "../../src/waits.ts";

/** A command that was started so often, and met so many errors that somebody has to mend. */
const attempt = (attempts: number, failures = 0) => ({ attempts, failures });
const error = (code: ErrorCode) => new LockstepError(code, "no");

describe("a command whose work threw an error", () => {
  it.each<ErrorCode>([
    "PREREQUISITE_MISSING",
    "REPLICA_IN_DOUBT",
    "REPLICA_NOT_FOUND",
    "REPOSITORY_NOT_FOUND",
    "NO_SOURCE",
    "GIT_FAILED",
  ])("is tried again after %s", (code) => {
    expect(endOfError(attempt(50), error(code))).toMatchObject({ state: "queued", error: "no" });
  });

  it.each<ErrorCode>(["INVALID_REQUEST", "NOT_A_REPOSITORY", "AHEAD_OF_DATABASE", "ADOPTION_REFUSED"])(
    "fails at once after %s, which nobody can mend without a decision",
    (code) => {
      expect(endOfError(attempt(1), error(code))).toEqual({ state: "failed", error: "no", failure: true });
    },
  );

  it("is tried again after an error that nobody foresaw", () => {
    expect(endOfError(attempt(1), new Error("odd"))).toMatchObject({ state: "queued", error: "odd" });
  });

  it("fails after its last error, if somebody has to mend something, and not if it passes by itself", () => {
    const full = error("PREREQUISITE_MISSING");
    expect(endOfError(attempt(9, 8), full, 10)).toMatchObject({ state: "queued", failure: true });
    expect(endOfError(attempt(10, 9), full, 10)).toMatchObject({ state: "failed", failure: true });
    expect(endOfError(attempt(10, 9), error("NO_SOURCE"), 10).state).toBe("queued");
    expect(endOfError(attempt(10, 9), error("NO_SOURCE"), 10).failure).toBeUndefined();
  });

  it("does not fail at its first error, however often it has waited for a source or for the database", () => {
    expect(endOfError(attempt(1_000, 0), error("PREREQUISITE_MISSING"), 10).state).toBe("queued");
    expect(endOfError(attempt(1_000, 9), error("PREREQUISITE_MISSING"), 10).state).toBe("failed");
  });

  it("rests for longer after each error of the same kind, up to five minutes", () => {
    const rest = (attempts: number, failures: number, code: ErrorCode) =>
      (endOfError(attempt(attempts, failures), error(code)).delayMs ?? 0) / WAITS.commandRestMs;
    const between = (times: number, by: number) => {
      expect(times / by).toBeGreaterThanOrEqual(0.8);
      expect(times / by).toBeLessThanOrEqual(1.2);
    };
    between(rest(1, 0, "NO_SOURCE"), 1);
    between(rest(4, 0, "NO_SOURCE"), 8);
    between(rest(4, 3, "PREREQUISITE_MISSING"), 8);
    // Neither kind makes the rest of the other one longer.
    between(rest(50, 0, "PREREQUISITE_MISSING"), 1);
    between(rest(9, 8, "NO_SOURCE"), 1);
    for (const code of ["NO_SOURCE", "PREREQUISITE_MISSING"] as const)
      expect(rest(2_000, 1_000, code) * WAITS.commandRestMs).toBeLessThanOrEqual(360_000);
  });
});
