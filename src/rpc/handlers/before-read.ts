import { repositoryName } from "../../domain.ts";
import { LockstepError } from "../../errors.ts";
import type { BeforeReadRequest__Output as Request } from "../../generated/lockstep/v1/BeforeReadRequest.ts";
import type { BeforeReadResponse as Response } from "../../generated/lockstep/v1/BeforeReadResponse.ts";
import { toDuration, toMs } from "../../proto.ts";
import { beforeRead as waitForRead } from "../../sync/before-read.ts";
import type { SyncContext } from "../../sync/context.ts";
import { readWithCommit, readWithStaleness } from "../../sync/read-with.ts";
import type { CallContext } from "../call.ts";

export const beforeRead =
  (context: SyncContext) =>
  async (request: Request, { signal }: CallContext): Promise<Response> => {
    const startedAt = performance.now();
    const name = repositoryName(request.repository);
    const options = { minVersion: BigInt(request.minVersion), signal };
    const maxStaleness = toMs(request.maxStaleness as never);
    const answer = ({ version, fetched, stale }: { version: bigint; fetched: boolean; stale: boolean }): Response => ({
      version: String(version),
      fetched,
      stale,
      waited: toDuration(performance.now() - startedAt),
    });
    if (request.commit !== "") {
      if (maxStaleness !== undefined) {
        throw new LockstepError(
          "INVALID_REQUEST",
          "`commit` and `max_staleness` contradict each other; give one of them.",
        );
      }
      return answer({ ...(await readWithCommit(context, name, request.commit, options)), stale: false });
    }
    if (maxStaleness !== undefined) return answer(await readWithStaleness(context, name, maxStaleness, options));
    return answer({ ...(await waitForRead(context, name, options)), stale: false });
  };
