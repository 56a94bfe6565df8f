import { LockstepError } from "../../errors.ts";
import type { ThawRequest__Output as Request } from "../../generated/lockstep/v1/ThawRequest.ts";
import type { ThawResponse as Response } from "../../generated/lockstep/v1/ThawResponse.ts";
import { deviceName, repositoryName } from "../../names.ts";
import type { SyncContext } from "../../sync/device/context.ts";
import { thaw as decide, type ThawAction } from "../../sync/operator/thaw.ts";
import { authorAndReason } from "../call/author-and-reason.ts";
import type { CallContext } from "../call/call.ts";
import { encodeCommits, encodeEntry, encodeUpdate } from "../encode/encode.ts";

const UPDATES = 1_000;

export const thaw =
  (context: SyncContext) =>
  async (request: Request, { caller, signal }: CallContext): Promise<Response> => {
    const { plan, confirmation, done } = await decide(context, {
      repository: repositoryName(request.repository),
      action: actionOf(request),
      confirmation: request.confirmation,
      author: authorAndReason({ author: request.author }, caller).author,
      signal,
    });
    return {
      confirmation,
      done,
      headVersion: String(plan.head),
      version: String(plan.version),
      keeperDevice: plan.keeper.device,
      keeperVersion: String(plan.keeper.version ?? 0n),
      updates: plan.updates.slice(0, UPDATES).map(encodeUpdate),
      moreUpdates: Math.max(0, plan.updates.length - UPDATES),
      givenUp: plan.givenUp.map(encodeEntry),
      lost: encodeCommits(plan.lost),
      gained: encodeCommits(plan.gained),
    };
  };

/** Returns which devices an operator has named. Throws INVALID_REQUEST, INVALID_NAME. */
export function actionOf({ promote, demote }: Pick<Request, "promote" | "demote">): ThawAction {
  if ((promote === "") === (demote.length === 0))
    throw new LockstepError("INVALID_REQUEST", "Name either the device to promote or the devices to demote.");
  return promote === "" ? { demote: [...new Set(demote.map(deviceName))].sort() } : { promote: deviceName(promote) };
}
