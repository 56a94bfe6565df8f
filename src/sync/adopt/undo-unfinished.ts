// Undoes an adoption that nobody will finish. The hook and the settings are in the directory, but neither the database
// nor the queue knows of it. Without this, every push to it would be refused for ever.
import { adoptingAs, undoTakeIn } from "../../git/replica/take-in.ts";
import { hasOpenAdoption, repositoryOf } from "../../store/adopt/adoption.ts";
import type { SyncContext } from "../device/context.ts";
import { oneDirectoryAtATime } from "../replica/one-directory-at-a-time.ts";

/** Undoes the adoption of a directory if it was begun and nobody will finish it. Returns whether it did. */
export async function undoUnfinished(context: SyncContext, path: string, repository: string): Promise<boolean> {
  if ((await adoptingAs(path)) === undefined) return false;
  return await oneDirectoryAtATime(context, async () => {
    if (await hasOpenAdoption(context.db, context.me.device, repository)) return false;
    // Read after the question: an adoption that was under way has removed its mark before its command ended.
    const id = await adoptingAs(path);
    if (id === undefined || (await repositoryOf(context.db, id)) !== undefined) return false;
    await undoTakeIn(path);
    context.log.warn({ repository, path }, "took back an adoption that was not finished");
    return true;
  });
}
