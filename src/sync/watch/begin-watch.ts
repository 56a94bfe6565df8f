// Begins to watch: checks what was asked for and finds the position of the cursor.

import { findHeld, trimmedUpTo } from "../../store/watch/landed.ts";
import type { Position } from "../../store/watch/log-tail.ts";
import type { SyncContext } from "../device/context.ts";
import { FROM_BEGINNING, FROM_NOW, readCursor } from "./cursor.ts";
import { aheadError, expiredError } from "./cursor-expired.ts";
import { checkPatterns, likePatterns } from "./name-patterns.ts";
import { type Visible, Watcher } from "./watch.ts";

/** The largest bigint of PostgreSQL. */
const LAST: Position = (1n << 63n) - 1n;

export interface WatchRequest {
  /** A cursor, "now" or "beginning". Empty: now. */
  readonly cursor: string;
  /** Names and globs. Empty: all repositories. */
  readonly repositories: readonly string[];
  readonly visible: Visible;
}

/**
 * Checks a request, and begins to watch at its cursor. Throws INVALID_REQUEST, INVALID_NAME, CURSOR_EXPIRED,
 * DATABASE_UNAVAILABLE, and the reason of the signal.
 */
export async function beginWatch(context: SyncContext, request: WatchRequest, signal: AbortSignal): Promise<Watcher> {
  const patterns = likePatterns(checkPatterns(request.repositories));
  const given = request.cursor || FROM_NOW;
  const cursor = given === FROM_NOW || given === FROM_BEGINNING ? undefined : readCursor(given);
  // Throws when the database is away, which `now` would wait for.
  const trimmed = await trimmedUpTo(context.db, patterns, cursor?.position ?? (given === FROM_NOW ? LAST : 0n));
  const now = await context.tail.now(signal);
  const position = cursor?.position ?? (given === FROM_NOW ? now : trimmed);
  if (position < trimmed) throw expiredError();
  if (position > now) throw aheadError();
  const held = cursor === undefined || cursor.held.length === 0 ? [] : await findHeld(context.db, cursor.held);
  // A version that waited may have gone from the log meanwhile.
  const [lost] = (cursor?.held ?? []).filter((each) => !held.some((row) => row.position === each));
  if (lost !== undefined && (await trimmedUpTo(context.db, patterns, lost - 1n)) > 0n) throw expiredError();
  return new Watcher(context, { patterns, visible: request.visible }, position, held, signal);
}
