// Converts a webhook to its message. The secret never leaves the store.

import { shownUrl } from "../../io/hook-url.ts";
import { toTimestamp } from "../../protocol/times.ts";
import type { Hook } from "../../store/watch/hooks.ts";
import { readCursor } from "../../sync/watch/cursor.ts";

const VISIBLE = { landed: "VISIBLE_LANDED", everywhere: "VISIBLE_EVERYWHERE" } as const;

/** Returns a webhook as the protocol has it, without its secret. */
export function encodeHook(hook: Hook) {
  return {
    id: hook.id,
    url: shownUrl(hook.url),
    repositories: hook.repositories,
    visible: VISIBLE[hook.visible],
    author: hook.author,
    createdAt: toTimestamp(hook.createdAt),
    device: hook.device ?? "",
    delivered: String(hook.delivered),
    deliveredAt: toTimestamp(hook.deliveredAt),
    attempts: hook.attempts,
    nextAttemptAt: toTimestamp(hook.nextAttemptAt),
    lastError: hook.lastError ?? "",
    missedAt: toTimestamp(hook.missedAt),
    cursor: hook.cursor,
    waiting: readCursor(hook.cursor).held.length,
  };
}
