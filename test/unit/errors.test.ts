import { status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import {
  describe as describeError,
  ERROR_TABLE,
  type ErrorCode,
  ExitCode,
  firstError,
  GrpcStatus,
  LockstepError,
  retryAfterMs,
} from "../../src/errors.ts";
import { gitFailedError } from "../../src/git/git-error.ts";

const codes = Object.keys(ERROR_TABLE) as ErrorCode[];

describe("the error table", () => {
  it.each(codes)("gives %s a gRPC status and an exit code", (code) => {
    expect(GrpcStatus).toHaveProperty(ERROR_TABLE[code].grpc);
    expect(ExitCode).toHaveProperty(ERROR_TABLE[code].exit);
    expect(ERROR_TABLE[code].exit).not.toBe("OK");
  });

  it("numbers the statuses as gRPC does", () => {
    for (const [name, number] of Object.entries(GrpcStatus)) expect(status[name as keyof typeof status]).toBe(number);
  });

  it.each(codes)("says when to retry %s exactly if it is UNAVAILABLE", (code) => {
    const retry = retryAfterMs(code);
    expect(retry !== undefined).toBe(ERROR_TABLE[code].grpc === "UNAVAILABLE");
    if (retry !== undefined) expect(retry).toBeGreaterThan(0);
  });

  it.each(codes)("lets the command line end with 3 for %s only if waiting may help", (code) => {
    const mayHelp = ["UNAVAILABLE", "ABORTED", "FAILED_PRECONDITION"].includes(ERROR_TABLE[code].grpc);
    if (ERROR_TABLE[code].exit === "NOT_NOW") expect(mayHelp).toBe(true);
    if (retryAfterMs(code) !== undefined) expect(ERROR_TABLE[code].exit).toBe("NOT_NOW");
  });

  it("reports wrong usage with 2 exactly for invalid arguments", () => {
    for (const code of codes)
      expect(ERROR_TABLE[code].exit === "USAGE").toBe(ERROR_TABLE[code].grpc === "INVALID_ARGUMENT");
  });
});

describe("a LockstepError", () => {
  it("carries code, message, cause and details", () => {
    const cause = new Error("below");
    const error = new LockstepError("FENCED", "Another one.", { cause, details: { device: "a" } });
    expect(error).toMatchObject({ name: "LockstepError", code: "FENCED", message: "Another one.", cause });
    expect(error.details).toEqual({ device: "a" });
    expect(new LockstepError("FENCED", "Another one.").details).toEqual({});
  });

  it("keeps its details as they were", () => {
    const given = { device: "a" };
    const { details } = new LockstepError("FENCED", "Another one.", { details: given });
    given.device = "b";
    expect(details.device).toBe("a");
    expect(Object.isFrozen(details)).toBe(true);
  });
});

describe("describe", () => {
  it("returns the message of an error, or a thrown value as text", () => {
    expect(describeError(new TypeError("wrong"))).toBe("wrong");
    expect(describeError("text")).toBe("text");
    expect(describeError(undefined)).toBe("undefined");
  });
});

it("adds advice to a message of git, in one sentence", () => {
  expect(gitFailedError(["index-pack", "--stdin"], 128, "fatal: early EOF\n")).toMatchObject({
    code: "GIT_FAILED",
    message:
      "git index-pack ended with exit code 128 (fatal: early EOF); correct what git complains of, " +
      "such as a full disk or wrong permissions, and try again.",
  });
});

it("calls a refusal of this machine's disk PREREQUISITE_MISSING, not GIT_FAILED", () => {
  expect(gitFailedError(["index-pack", "--stdin"], 128, "fatal: write error: No space left on device\n")).toMatchObject(
    {
      code: "PREREQUISITE_MISSING",
      message: expect.stringMatching(
        /^This machine's disk refuses git index-pack \(fatal: write error: No space left on device\); /,
      ),
    },
  );
});

it("no message holds a carriage return", () => {
  expect(new LockstepError("INTERNAL", "a\rb\r\nc").message).toBe("a b\nc");
});

it("the first error is reported, even if the clean-up fails too", async () => {
  const first = new LockstepError("NO_SOURCE", "The first.");
  const run = async () => {
    await using _ = { [Symbol.asyncDispose]: () => Promise.reject(new Error("the last")) };
    await using _also = { [Symbol.asyncDispose]: () => Promise.reject(new Error("the second")) };
    throw first;
  };
  const thrown = await run().catch((error: unknown) => error);
  expect(thrown).not.toBe(first);
  expect(firstError(thrown)).toBe(first);
  expect(describeError(thrown)).toBe("The first.");
});
