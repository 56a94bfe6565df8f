// Removes the leftovers of broken uploads when the next upload begins. Only uploads can leave more of them.
import { describe } from "../../errors.ts";
import { sweepUploads } from "../../git/beside/uploads.ts";
import type { SyncContext } from "../device/context.ts";
import type { Replica } from "../device/replica.ts";

const EVERY_MS = 10 * 60_000;

/**
 * Removes leftovers in the background. To be called when an upload is to begin or has come. Returns at once; looks
 * every ten minutes at most.
 */
export function lookAfterUploads(context: SyncContext, replica: Replica): void {
  const now = performance.now();
  if (replica.uploadsSweptAt !== undefined && now - replica.uploadsSweptAt < EVERY_MS) return;
  replica.uploadsSweptAt = now;
  void sweepUploads(replica.gitDir).then(
    (removed) => {
      if (removed.length > 0)
        context.log.info({ repository: replica.name, removed }, "removed leftovers of broken uploads");
    },
    (error: unknown) =>
      context.log.warn(
        { repository: replica.name, err: describe(error) },
        "could not remove leftovers of broken uploads",
      ),
  );
}
