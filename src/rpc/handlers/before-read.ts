import { repositoryName } from "../../domain.ts";
import { LockstepError } from "../../errors.ts";
import type { BeforeReadRequest__Output as Request } from "../../generated/lockstep/v1/BeforeReadRequest.ts";
import type { BeforeReadResponse as Response } from "../../generated/lockstep/v1/BeforeReadResponse.ts";
import { toDuration } from "../../proto.ts";
import { beforeRead as waitForRead } from "../../sync/before-read.ts";
import type { SyncContext } from "../../sync/context.ts";
import type { CallContext } from "../call.ts";

export const beforeRead =
  (context: SyncContext) =>
  async (request: Request, { signal }: CallContext): Promise<Response> => {
    const startedAt = performance.now();
    const repository = repositoryName(request.repository);
    if (request.commit !== "" || request.maxStaleness !== null) {
      throw new LockstepError("INVALID_REQUEST", "`commit` and `max_staleness` are not served yet; leave them out.");
    }
    const { version, fetched } = await waitForRead(context, repository, {
      minVersion: BigInt(request.minVersion),
      signal,
    });
    return { version: String(version), fetched, stale: false, waited: toDuration(performance.now() - startedAt) };
  };
