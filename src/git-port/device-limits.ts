// What a device may ask of another one. It gets objects and refs of repositories that it holds or should hold, and
// copies of what it is about to write. So a stolen key reads no more than the disk of its device.
import { isUuid } from "../domain.ts";
import { LockstepError } from "../errors.ts";
import { mayWrite, type Which } from "../store/replica/holdings.ts";
import type { SyncContext } from "../sync/device/context.ts";

/**
 * Throws PERMISSION_DENIED unless the device holds the repository or should hold it. A repository that nobody knows is
 * refused later, in other words.
 */
export async function mayFetch(context: SyncContext, device: string, which: Which): Promise<void> {
  if ((await context.holds(device, which)) !== false) return;
  throw deniedError(`Device ${device} does not hold this repository, so it may not fetch it.`, which);
}

/**
 * Throws PERMISSION_DENIED if the device asks about the directory of a repository that it does not hold. It may ask
 * about a name that no repository has: it may be about to create or to adopt one.
 */
export async function mayAskAbout(context: SyncContext, device: string, question: unknown): Promise<void> {
  const { repository } = (question ?? {}) as { repository?: unknown };
  if (typeof repository !== "string" || (await context.holds(device, { name: repository })) !== false) return;
  throw deniedError(`Device ${device} does not hold this repository, so it may not ask about it.`, {
    name: repository,
  });
}

/** Throws PERMISSION_DENIED unless the device may be about to write the repository. */
export async function mayRequestCopies(context: SyncContext, device: string, body: unknown): Promise<void> {
  const id = repositoryIn(body);
  if (id === undefined || (await mayWrite(context.db, device, id))) return;
  throw deniedError(`Device ${device} writes nothing to this repository, so nobody copies objects for it.`, { id });
}

/** Throws PERMISSION_DENIED unless the device may fetch the repository in its request for a pack. */
export async function mayFetchPack(context: SyncContext, device: string, body: unknown): Promise<void> {
  const id = repositoryIn(body);
  if (id !== undefined) await mayFetch(context, device, { id });
}

/** Returns the id in a request. undefined: it has none, and is refused as malformed later. */
function repositoryIn(body: unknown): string | undefined {
  const { repositoryId: id } = (body ?? {}) as { repositoryId?: unknown };
  return typeof id === "string" && isUuid(id) ? id : undefined;
}

function deniedError(message: string, which: Which): LockstepError {
  return new LockstepError("PERMISSION_DENIED", message, {
    details: { repository: "id" in which ? which.id : which.name },
  });
}
