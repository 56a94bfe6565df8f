// A new repository never hides anything: no live device may have something at its place.
import { LockstepError } from "../../errors.ts";
import { exists } from "../../io/disk.ts";
import { findRepository, repositoryExistsError } from "../../store/repositories.ts";
import { unknownNamed } from "../../store/unknown-directories.ts";
import { askOthers } from "../adopt/ask-others.ts";
import type { SyncContext } from "../device/context.ts";
import { replicaPath } from "../device/replica.ts";

/** A device that does not answer in this time may have something there. Its last scan then counts. */
const PATIENCE_MS = 2_000;

/**
 * Throws DIRECTORY_EXISTS when something lies at the place of a new repository, here or on another live device. Throws
 * REPOSITORY_EXISTS when it is the replica of a repository of that name.
 */
export async function refuseOccupied(context: SyncContext, name: string, signal: AbortSignal): Promise<void> {
  const path = replicaPath(context.root, name);
  const occupied = (await exists(path)) ? { device: context.me.device, path } : await elsewhere(context, name, signal);
  if (occupied === undefined) return;
  // Two calls at once may create it: the other one has made the directory.
  await findRepository(context.db, name).then(
    () => {
      throw repositoryExistsError(name);
    },
    (error: unknown) => {
      if (!(error instanceof LockstepError && error.code === "REPOSITORY_NOT_FOUND")) throw error;
    },
  );
  throw new LockstepError(
    "DIRECTORY_EXISTS",
    `Device ${occupied.device} has ${occupied.path}, which the database does not know; take it in with ` +
      `\`lockstep repo adopt ${name}\` on that device, or move it away (an empty directory: rmdir).`,
    { details: { repository: name, ...occupied } },
  );
}

async function elsewhere(
  context: SyncContext,
  name: string,
  signal: AbortSignal,
): Promise<{ device: string; path: string } | undefined> {
  const { answers, silent } = await askOthers(context, { repository: name }, { signal, patienceMs: PATIENCE_MS });
  const found = answers.find((answer) => answer.exists);
  if (found !== undefined || silent.length === 0) return found && { device: found.device, path: found.path };
  context.log.warn({ repository: name, silent }, "some devices did not say whether they have a directory of that name");
  const scanned = await unknownNamed(context.db, name);
  return scanned.find(({ device }) => silent.some((each) => each.device === device));
}
