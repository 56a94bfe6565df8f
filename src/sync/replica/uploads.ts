// What uploads that broke off have left in a replica is removed when the next one begins: only who uploads can leave more of it.
import { describe } from "../../errors.ts";
import { sweepUploads } from "../../git/replica/uploads.ts";
import type { SyncContext } from "../device/context.ts";
import type { Replica } from "../device/replica.ts";

const EVERY_MS = 10 * 60_000;

/** An upload is to begin, or has come. Returns at once; looks every ten minutes at most. */
export function lookAfterUploads(context: SyncContext, replica: Replica): void {
  const now = performance.now();
  if (replica.uploadsSweptAt !== undefined && now - replica.uploadsSweptAt < EVERY_MS) return;
  replica.uploadsSweptAt = now;
  void sweepUploads(replica.gitDir).then(
    (removed) => {
      if (removed.length > 0)
        context.log.info({ repository: replica.name, removed }, "removed what uploads that broke off had left");
    },
    (error: unknown) =>
      context.log.warn(
        { repository: replica.name, err: describe(error) },
        "could not remove what uploads that broke off have left",
      ),
  );
}
