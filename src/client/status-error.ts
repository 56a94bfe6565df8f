// The LockstepError of a gRPC status.
import { type ServiceError, status } from "@grpc/grpc-js";
import { LockstepError } from "../errors.ts";
import { DETAILS_KEY, decodeDetails } from "../protocol/error-details.ts";

/**
 * Returns the LockstepError of a gRPC status: from its details, else by its code. `left`: the caller has cancelled the
 * call itself.
 */
export function errorFromStatus(error: ServiceError, left = false): LockstepError {
  const details = error.metadata?.get(DETAILS_KEY)[0];
  const known = Buffer.isBuffer(details) ? decodeDetails(error.details, details) : undefined;
  if (known) return known;
  switch (error.code) {
    case status.UNAVAILABLE:
      if (/\b(EACCES|EPERM)\b/.test(error.details)) {
        return new LockstepError(
          "PERMISSION_DENIED",
          `This user may not use the sidecar's socket (${withoutWrapping(error.details)}); run this as the user of \`lockstep serve\`, or with sudo.`,
          { cause: error },
        );
      }
      return new LockstepError(
        "SIDECAR_UNAVAILABLE",
        `The sidecar does not answer (${withoutWrapping(error.details)}); see whether \`lockstep serve\` runs.`,
        {
          cause: error,
        },
      );
    case status.DEADLINE_EXCEEDED:
      return new LockstepError("CATCH_UP_TIMEOUT", "The sidecar did not answer in time; try again.", { cause: error });
    case status.CANCELLED:
      // A sidecar whose grace time is over cuts its calls. That says as little as a connection that drops.
      if (!left)
        return new LockstepError(
          "SIDECAR_UNAVAILABLE",
          "The sidecar ended before it answered; find out whether the call took effect before you repeat it.",
          { cause: error },
        );
      return new LockstepError(
        "SHUTTING_DOWN",
        "The call was cancelled before its answer came; find out whether it took effect before you repeat it.",
        { cause: error },
      );
    case status.RESOURCE_EXHAUSTED:
      return new LockstepError("INVALID_REQUEST", `The request is too large (${error.details}); send less at once.`, {
        cause: error,
      });
    case status.UNIMPLEMENTED:
      return new LockstepError(
        "PREREQUISITE_MISSING",
        `The sidecar does not serve this call (${error.details}); run a version of Lockstep that does.`,
        { cause: error },
      );
    default:
      return new LockstepError("INTERNAL", error.details || error.message, { cause: error });
  }
}

/** Returns the operating system's error without the sentences that grpc-js puts around it. */
function withoutWrapping(details: string): string {
  return /^No connection established\. Last error: (?:Error: )?(.*)\. Resolution note: /s.exec(details)?.[1] ?? details;
}
