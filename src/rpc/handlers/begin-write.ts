import { randomUUID } from "node:crypto";
import { LockstepError } from "../../errors.ts";
import type { BeginWriteRequest__Output as Request } from "../../generated/lockstep/v1/BeginWriteRequest.ts";
import type { BeginWriteResponse as Response } from "../../generated/lockstep/v1/BeginWriteResponse.ts";
import { repositoryName } from "../../names.ts";
import { toMs, toTimestamp } from "../../protocol/times.ts";
import type { SyncContext } from "../../sync/device/context.ts";
import { beginWrite as begin } from "../../sync/session/begin-write.ts";
import { writeAuthor } from "../call/author-and-reason.ts";
import type { CallContext } from "../call/call.ts";
import { writeIdOf } from "../encode/request-ids.ts";

const WAIT_MS = 30_000;

export const beginWrite =
  (context: SyncContext) =>
  async (request: Request, { caller, signal }: CallContext): Promise<Response> => {
    const author = writeAuthor(request.author, caller);
    const { reason } = request;
    if (request.live && caller.role !== "operator")
      throw new LockstepError("PERMISSION_DENIED", `The role ${caller.role} may not take a replica out of service.`);
    const begun = await begin(context, {
      repository: repositoryName(request.repository),
      caller,
      author,
      reason: reason || "write session",
      waitMs: toMs(request.wait as never) ?? WAIT_MS,
      writeId: request.writeId === "" ? randomUUID() : writeIdOf(request.writeId),
      live: request.live,
      signal,
    });
    return {
      writeId: begun.writeId,
      token: begun.token,
      baseVersion: String(begun.base),
      expiresAt: toTimestamp(begun.expiresAt),
      path: begun.path,
    };
  };
