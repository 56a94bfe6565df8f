import { randomBytes, randomUUID } from "node:crypto";
import { LockstepError } from "../../errors.ts";
import type { AddHookRequest__Output as Request } from "../../generated/lockstep/v1/AddHookRequest.ts";
import type { AddHookResponse as Response } from "../../generated/lockstep/v1/AddHookResponse.ts";
import { checkHookAddress, hookUrl } from "../../io/hook-url.ts";
import { insertHook } from "../../store/watch/hooks.ts";
import type { SyncContext } from "../../sync/device/context.ts";
import { beginWatch } from "../../sync/watch/begin-watch.ts";
import { authorAndReason } from "../call/author-and-reason.ts";
import type { CallContext } from "../call/call.ts";
import { encodeHook } from "../encode/encode-hook.ts";
import { visibleOf } from "./watch.ts";

const SECRET_BYTES = 32;
const SECRET_LIMIT = 1_000;

export const addHook =
  (context: SyncContext) =>
  async (request: Request, { caller, signal }: CallContext): Promise<Response> => {
    const { author } = authorAndReason({ author: request.author }, caller);
    const url = hookUrl(request.url);
    checkHookAddress(context.hookAddresses, new URL(url));
    const { repositories } = request;
    if (request.secret.length > SECRET_LIMIT || request.secret.includes("\0"))
      throw new LockstepError(
        "INVALID_REQUEST",
        `A secret has at most ${SECRET_LIMIT} characters and no NUL character; give another one.`,
      );
    const made = request.secret === "" ? randomBytes(SECRET_BYTES).toString("hex") : undefined;
    const secret = made ?? request.secret;
    const visible = visibleOf(request.visible) ?? "everywhere";
    const { cursor } = await beginWatch(context, { cursor: "", repositories, visible }, signal);
    const hook = { id: randomUUID(), url, repositories, visible, secret, author, cursor };
    return { hook: encodeHook(await insertHook(context.db, hook)), secret: made ?? "" };
  };
