import { describe, expect, it } from "vitest";
import { repeat } from "../../src/client/repeat.ts";
import { LockstepError } from "../../src/errors.ts";
import type { Repeats } from "../../src/generated/methods.ts";
import { decodeDetails, encodeDetails } from "../../src/protocol/error-details.ts";

const allowed = new LockstepError("NO_SOURCE", "No source.", { retryAfterMs: 5 });
const lost = new LockstepError("SIDECAR_UNAVAILABLE", "The connection failed.");
const refused = new LockstepError("REPOSITORY_NOT_FOUND", "It does not exist.");

/** Fails with each error in turn, then answers. */
function failing(...errors: LockstepError[]) {
  const left = [...errors];
  let calls = 0;
  const attempt = async () => {
    calls += 1;
    const error = left.shift();
    if (error) throw error;
    return "answer";
  };
  return { attempt, calls: () => calls };
}

const patience = (repeats: Repeats, timeoutMs = 60_000) => ({ timeoutMs, repeats });

describe("a call of the client", () => {
  it("is repeated while the sidecar allows it", async () => {
    const { attempt, calls } = failing(allowed, allowed);
    await expect(repeat(attempt, patience("told"))).resolves.toBe("answer");
    expect(calls()).toBe(3);
  });

  it("is repeated after a lost connection only if it may take effect twice", async () => {
    await expect(repeat(failing(lost).attempt, patience("always"))).resolves.toBe("answer");
    const { attempt, calls } = failing(lost);
    await expect(repeat(attempt, patience("told"))).rejects.toBe(lost);
    expect(calls()).toBe(1);
  });

  it("is not repeated if no call may be, nor after an error that stays", async () => {
    await expect(repeat(failing(allowed).attempt, patience("never"))).rejects.toBe(allowed);
    await expect(repeat(failing(refused).attempt, patience("always"))).rejects.toBe(refused);
  });

  it("ends with the last error when the pause is longer than the time that is left", async () => {
    const later = new LockstepError("NO_SOURCE", "No source.", { retryAfterMs: 60_000 });
    await expect(repeat(failing(later).attempt, patience("told", 50))).rejects.toBe(later);
  });

  it("ends in a pause when its signal aborts", async () => {
    const stop = new AbortController();
    const later = new LockstepError("NO_SOURCE", "No source.", { retryAfterMs: 30_000 });
    const running = repeat(failing(later).attempt, { ...patience("told"), signal: stop.signal });
    setImmediate(() => stop.abort());
    await expect(running).rejects.toBe(later);
  });
});

it("an error carries the pause that the sidecar asks for, and none if the call may not be repeated", () => {
  const over = (error: LockstepError) => decodeDetails(error.message, encodeDetails(error));
  expect(over(new LockstepError("REPLICA_NEEDED", "x"))).toMatchObject({ code: "REPLICA_NEEDED", retryAfterMs: 5_000 });
  expect(over(refused)).toMatchObject({ code: "REPOSITORY_NOT_FOUND", retryAfterMs: undefined });
});
