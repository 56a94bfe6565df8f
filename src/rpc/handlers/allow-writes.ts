import type { AllowWritesRequest__Output as Request } from "../../generated/lockstep/v1/AllowWritesRequest.ts";
import type { AllowWritesResponse as Response } from "../../generated/lockstep/v1/AllowWritesResponse.ts";
import { repositoryName } from "../../names.ts";
import { endWriteStops, listWriteStops, stopTargets } from "../../store/write/write-stops.ts";
import type { SyncContext } from "../../sync/device/context.ts";
import { authorAndReason } from "../call/author-and-reason.ts";
import type { CallContext } from "../call/call.ts";
import { encodeWriteStop } from "../encode/encode.ts";

export const allowWrites =
  (context: SyncContext) =>
  async (request: Request, { caller }: CallContext): Promise<Response> => {
    const names = [...new Set(request.repositories.map(repositoryName))];
    await endWriteStops(context.db, await stopTargets(context.db, names), authorAndReason(request, caller).author);
    const stops = await listWriteStops(context.db);
    const remaining = stops.filter(
      ({ repository }) => names.length === 0 || repository === null || names.includes(repository),
    );
    return { remaining: remaining.map(encodeWriteStop) };
  };
