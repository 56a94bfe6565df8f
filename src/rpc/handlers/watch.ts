import { LockstepError } from "../../errors.ts";
import type { Visible as Encoded } from "../../generated/lockstep/v1/Visible.ts";
import type { WatchRequest__Output as Request } from "../../generated/lockstep/v1/WatchRequest.ts";
import type { WatchResponse as Response } from "../../generated/lockstep/v1/WatchResponse.ts";
import { repositoryName } from "../../names.ts";
import { findRepository } from "../../store/repository/repositories.ts";
import type { SyncContext } from "../../sync/device/context.ts";
import { beginWatch } from "../../sync/watch/begin-watch.ts";
import { isGlob } from "../../sync/watch/name-patterns.ts";
import type { Visible } from "../../sync/watch/watch.ts";
import type { CallContext } from "../call/call.ts";
import { WatchPlaces } from "../call/watch-places.ts";
import { encodeEntry } from "../encode/encode.ts";

/** Each costs this process a page of events, and the database two statements for each version that lands. */
const LIMITS = { all: 256, own: 8 };

export const watch =
  (context: SyncContext, places = new WatchPlaces("watchers", LIMITS)) =>
  async (
    request: Request,
    send: (message: Response) => Promise<void>,
    { caller, signal }: Pick<CallContext, "caller" | "signal">,
  ): Promise<void> => {
    using _ = places.take(caller);
    const { cursor, repositories } = request;
    for (const name of repositories) if (!isGlob(name)) await findRepository(context.db, repositoryName(name));
    const visible = visibleOf(request.visible) ?? "landed";
    const watcher = await beginWatch(context, { cursor, repositories, visible }, signal);
    await send({ cursor: watcher.cursor });
    for await (const { cursor, event } of watcher.events()) {
      await send(event ? { cursor, repository: event.repository, entry: encodeEntry(event.entry) } : { cursor });
      if (event) context.metrics.watched();
    }
  };

/** Returns when events are told, or undefined if the request does not say. Throws INVALID_REQUEST. */
export function visibleOf(visible: keyof typeof Encoded | undefined): Visible | undefined {
  if (visible === "VISIBLE_LANDED") return "landed";
  if (visible === "VISIBLE_EVERYWHERE") return "everywhere";
  if (visible === undefined || visible === "VISIBLE_UNSPECIFIED") return undefined;
  throw new LockstepError("INVALID_REQUEST", "Of visible only LANDED and EVERYWHERE are known; give one of them.");
}
