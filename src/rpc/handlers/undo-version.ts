import { LockstepError } from "../../errors.ts";
import type { UndoVersionRequest__Output as Request } from "../../generated/lockstep/v1/UndoVersionRequest.ts";
import type { UndoVersionResponse as Response } from "../../generated/lockstep/v1/UndoVersionResponse.ts";
import { repositoryName } from "../../names.ts";
import type { SyncContext } from "../../sync/device/context.ts";
import { undoVersion as undo } from "../../sync/undo/undo-version.ts";
import { authorAndReason } from "../call/author-and-reason.ts";
import type { CallContext } from "../call/call.ts";
import { encodeCommits, encodeEntry, encodeUpdate } from "../encode/encode.ts";

const UPDATES = 1_000;
/** The largest bigint of PostgreSQL. The protocol's uint64 has larger values. */
const LAST_VERSION = (1n << 63n) - 1n;

export const undoVersion =
  (context: SyncContext) =>
  async (request: Request, { caller, signal }: CallContext): Promise<Response> => {
    const version = BigInt(request.version);
    if (version < 1n || version > LAST_VERSION)
      throw new LockstepError("INVALID_REQUEST", "The version to undo is 1 or more; `lockstep log NAME` lists them.");
    const { plan, confirmation, landed } = await undo(context, {
      repository: repositoryName(request.repository),
      version,
      confirmation: request.confirmation,
      ...authorAndReason(request, caller),
      signal,
    });
    return {
      confirmation,
      done: landed !== null,
      version: String(landed ?? plan.head + 1n),
      undone: encodeEntry({ ...plan.entry, updates: [], more: 0 }),
      updates: plan.updates.slice(0, UPDATES).map(encodeUpdate),
      moreUpdates: Math.max(0, plan.updates.length - UPDATES),
      lost: encodeCommits(plan.lost),
      gained: encodeCommits(plan.gained),
    };
  };
