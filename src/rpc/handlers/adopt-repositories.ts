import type { AdoptRepositoriesRequest__Output as Request } from "../../generated/lockstep/v1/AdoptRepositoriesRequest.ts";
import type { AdoptRepositoriesResponse as Response } from "../../generated/lockstep/v1/AdoptRepositoriesResponse.ts";
import type { SyncContext } from "../../sync/device/context.ts";
import { orderAdoptions } from "../../sync/operator/order-adoptions.ts";
import { authorAndReason } from "../call/author-and-reason.ts";
import type { CallContext } from "../call/call.ts";

export const adoptRepositories =
  (context: SyncContext) =>
  async (request: Request, send: (message: Response) => void, { caller, signal }: CallContext): Promise<void> => {
    const { author } = authorAndReason({ author: request.author }, caller);
    await orderAdoptions(context, { ...request, author, signal }, (adoption) => {
      if ("adopted" in adoption) {
        const { repository, version, devices, notes } = adoption.adopted;
        return send({ adopted: { repository, version, devices: [...devices], notes: [...notes] } });
      }
      const { repository, reason, differences } = adoption.refused;
      const listed = differences.map(({ ref, values }) => ({
        ref,
        values: Object.entries(values).map(([device, value]) => ({ device, value: value ?? "" })),
      }));
      send({ refused: { repository, reason, differences: listed } });
    });
  };
