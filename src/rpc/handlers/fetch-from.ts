import type { FetchFromRequest__Output as Request } from "../../generated/lockstep/v1/FetchFromRequest.ts";
import type { FetchFromResponse as Response } from "../../generated/lockstep/v1/FetchFromResponse.ts";
import { repositoryName } from "../../names.ts";
import { toDuration } from "../../protocol/times.ts";
import type { SyncContext } from "../../sync/device/context.ts";
import { fetchFrom as bringUp } from "../../sync/read/fetch-from.ts";
import type { CallContext } from "../call/call.ts";

export const fetchFrom =
  (context: SyncContext) =>
  async (request: Request, send: (message: Response) => void, { signal }: CallContext): Promise<void> => {
    const startedAt = performance.now();
    const repository = repositoryName(request.repository);
    const options = { version: BigInt(request.version), from: request.device || undefined, signal };
    const done = await bringUp(context, repository, options, ({ phase, objects, totalObjects, bytes }) =>
      send({ progress: { phase, objects: String(objects), totalObjects: String(totalObjects), bytes: String(bytes) } }),
    );
    send({
      result: {
        fromDevice: done.fromDevice,
        fromVersion: String(done.fromVersion),
        version: String(done.version),
        bytes: String(done.bytes),
        refsChanged: done.refsChanged,
        duration: toDuration(performance.now() - startedAt),
        alreadyCurrent: done.alreadyCurrent,
      },
    });
  };
