// Waits for commands that live devices carry out.
import { setTimeout as sleep } from "node:timers/promises";
import type { Command } from "../../store/command/commands.ts";
import { listCommands } from "../../store/command/find-commands.ts";
import { WAITS } from "../../waits.ts";
import type { SyncContext } from "../device/context.ts";

/** The pause before the next look, and for how long this waits at most. Then the caller sees which are open. */
const LOOK_MS = 50;

/**
 * Waits until the commands of all live devices have ended, at most a minute. `atOnce`: does not wait. Returns all of
 * them as they are then.
 */
export async function untilCarriedOut(
  context: SyncContext,
  ids: readonly string[],
  signal: AbortSignal,
  atOnce = false,
): Promise<Command[]> {
  const deadline = performance.now() + (atOnce ? 0 : WAITS.partsMs);
  for (;;) {
    const now = ids.length === 0 ? [] : await listCommands(context.db, { ids, limit: ids.length });
    const open = now.filter(({ endedAt, live }) => live && endedAt === null);
    if (open.length === 0 || signal.aborted || performance.now() > deadline)
      return now.sort((a, b) => (a.device < b.device ? -1 : 1));
    context.signal.throwIfAborted();
    await sleep(LOOK_MS, undefined, { signal }).catch(() => {});
  }
}
