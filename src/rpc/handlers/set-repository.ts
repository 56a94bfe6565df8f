import { deviceName, repositoryName } from "../../domain.ts";
import { LockstepError } from "../../errors.ts";
import type { SetRepositoryRequest__Output as Request } from "../../generated/lockstep/v1/SetRepositoryRequest.ts";
import type { SetRepositoryResponse as Response } from "../../generated/lockstep/v1/SetRepositoryResponse.ts";
import type { Placement } from "../../store/placement.ts";
import { setRepository as set } from "../../store/repositories.ts";
import type { SyncContext } from "../../sync/device/context.ts";
import { copiesOf } from "../../sync/operator/create-repository.ts";
import { encodeRepository } from "../call/encode.ts";

export const setRepository =
  (context: SyncContext) =>
  async (request: Request): Promise<Response> => {
    const change = {
      minCopies: request.minCopies === undefined ? null : copiesOf(request.minCopies),
      landWithFewer: request.landWithFewer ?? null,
      ...(request.placement && { placement: placementOf(request.placement) }),
    };
    return { repository: encodeRepository(await set(context.db, repositoryName(request.repository), change)) };
  };

function placementOf({ all, devices }: NonNullable<Request["placement"]>): Placement {
  if (all === devices.length > 0)
    throw new LockstepError("INVALID_REQUEST", "A placement is either all devices or the names of some.");
  return all ? null : devices.map(deviceName);
}
