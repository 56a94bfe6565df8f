import { LockstepError } from "../../errors.ts";
import type { StopWritesRequest__Output as Request } from "../../generated/lockstep/v1/StopWritesRequest.ts";
import type { StopWritesResponse as Response } from "../../generated/lockstep/v1/StopWritesResponse.ts";
import { repositoryName } from "../../names.ts";
import { toMs } from "../../protocol/times.ts";
import type { SyncContext } from "../../sync/device/context.ts";
import { stopWrites as stop } from "../../sync/operator/stop-writes.ts";
import { authorAndReason } from "../call/author-and-reason.ts";
import type { CallContext } from "../call/call.ts";
import { encodeWrite } from "../encode/encode.ts";

const WAIT_MS = 60_000;
const LISTED = 20;

export const stopWrites =
  (context: SyncContext) =>
  async (request: Request, send: (message: Response) => void, { caller, signal }: CallContext): Promise<void> => {
    if (request.reason.trim() === "")
      throw new LockstepError(
        "INVALID_REQUEST",
        "The `reason` is missing; give one for the writers whose writes are refused.",
      );
    const repositories = [...new Set(request.repositories.map(repositoryName))];
    const waitMs = toMs(request.wait as never) ?? WAIT_MS;
    const order = { repositories, ...authorAndReason(request, caller), waitMs, signal };
    const dropped = await stop(context, order, (writes) => {
      const waitingFor = writes.slice(0, LISTED).map(encodeWrite);
      send({ progress: { waitingFor, more: writes.length - waitingFor.length } });
    });
    send({ result: { dropped: dropped.map(encodeWrite) } });
  };
