import { describe, expect, it } from "vitest";
import { type ErrorCode, LockstepError } from "../../src/errors.ts";
import { endOfError } from "../../src/queue/end-of-error.ts";
import type { Command } from "../../src/store/command/commands.ts";
import { WAITS } from "../../src/waits.ts";

const attempt = (attempts: number) => ({ attempts }) as Command;
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
    expect(endOfError(attempt(50), error(code), undefined)).toMatchObject({ state: "queued", error: "no" });
  });

  it.each<ErrorCode>(["INVALID_REQUEST", "NOT_A_REPOSITORY", "AHEAD_OF_DATABASE", "ADOPTION_REFUSED"])(
    "fails at once after %s, which nobody can mend without a decision",
    (code) => {
      expect(endOfError(attempt(1), error(code), undefined)).toEqual({ state: "failed", error: "no" });
    },
  );

  it("is tried again after an error that nobody foresaw", () => {
    expect(endOfError(attempt(1), new Error("odd"), undefined)).toMatchObject({ state: "queued", error: "odd" });
  });

  it("fails after its last attempt, if somebody has to mend something, and not if it passes by itself", () => {
    const full = error("PREREQUISITE_MISSING");
    expect(endOfError(attempt(9), full, 10).state).toBe("queued");
    expect(endOfError(attempt(10), full, 10).state).toBe("failed");
    expect(endOfError(attempt(10), error("NO_SOURCE"), 10).state).toBe("queued");
  });

  it("rests for longer each time, up to five minutes", () => {
    const rest = (attempts: number) => endOfError(attempt(attempts), error("NO_SOURCE"), undefined).delayMs ?? 0;
    const factor = (ms: number, by: number) => expect(ms / WAITS.commandRestMs / by);
    factor(rest(1), 1).toBeGreaterThanOrEqual(0.8);
    factor(rest(1), 1).toBeLessThanOrEqual(1.2);
    factor(rest(4), 8).toBeGreaterThanOrEqual(0.8);
    expect(rest(1_000)).toBeLessThanOrEqual(360_000);
  });
});
