import { Metadata, type ServiceError, status } from "@grpc/grpc-js";
import { expect, it } from "vitest";
import { pauseBefore } from "../../src/client/repeat.ts";
import { errorFromStatus } from "../../src/client/status-error.ts";

function unavailable(said: string): ServiceError {
  const details = `No connection established. Last error: Error: ${said}. Resolution note: `;
  return Object.assign(new Error(details), { code: status.UNAVAILABLE, details, metadata: new Metadata() });
}

it("the error for a socket that this user may not use says so and names a remedy", () => {
  expect(errorFromStatus(unavailable("connect EACCES /run/lockstep/lockstep.sock"))).toMatchObject({
    code: "PERMISSION_DENIED",
    message:
      "This user may not use the sidecar's socket (connect EACCES /run/lockstep/lockstep.sock); run this as the user of `lockstep serve`, or with sudo.",
  });
});

it("the error for a missing socket says that the sidecar does not answer", () => {
  expect(errorFromStatus(unavailable("connect ENOENT /run/lockstep/lockstep.sock"))).toMatchObject({
    code: "SIDECAR_UNAVAILABLE",
    message: expect.stringMatching(/see whether `lockstep serve` runs\.$/),
  });
});

it("a call that a stopping sidecar cuts off has an unknown outcome, and is repeated only where that is safe", () => {
  const details = "Call cancelled";
  const cut = Object.assign(new Error(details), { code: status.CANCELLED, details, metadata: new Metadata() });
  const error = errorFromStatus(cut);
  expect(error).toMatchObject({ code: "SIDECAR_UNAVAILABLE", message: expect.stringContaining("find out whether") });
  expect(error.retryAfterMs).toBeUndefined();
  expect(pauseBefore(error, "always")).toBe(1000);
  expect(pauseBefore(error, "never")).toBeUndefined();
});
