// Gives a repository another name. The name changes in one transaction, and then each device moves its directory.
import { crashPoint } from "../../crash-points.ts";
import { LockstepError } from "../../errors.ts";
import { repositoryName } from "../../names.ts";
import { type Command, notifyCommands } from "../../store/command/commands.ts";
import { missingRepositoryError, renameRepository as renameRows } from "../../store/repository/former-names.ts";
import { findRepository, repositoryExistsError } from "../../store/repository/repositories.ts";
import type { SyncContext } from "../device/context.ts";
import { refuseOccupied } from "../operator/refuse-occupied.ts";
import { untilCarriedOut } from "./await-commands.ts";

export interface RenameRequest {
  readonly repository: string;
  readonly newName: string;
  readonly author: string;
  readonly reason: string;
  /** True: does not wait for the devices. */
  readonly atOnce?: boolean;
}

/**
 * Renames a repository, and waits until every live device has moved its replica. Returns the command of each device;
 * devices that are away carry theirs out when they are back. A repeated call gets the same answer. Throws INVALID_NAME,
 * INVALID_REQUEST, REPOSITORY_NOT_FOUND, REPOSITORY_EXISTS, DIRECTORY_EXISTS, TURN_HELD, DATABASE_UNAVAILABLE.
 */
export async function renameRepository(
  context: SyncContext,
  request: RenameRequest,
  signal: AbortSignal,
): Promise<Command[]> {
  const { db } = context;
  const name = repositoryName(request.repository);
  const newName = repositoryName(request.newName);
  if (name === newName)
    throw new LockstepError("INVALID_REQUEST", `The repository is called ${name} already; choose another name.`);
  const own = await findUnlessRenamed(context, name, newName);
  if (own !== undefined) await refuseOccupied(context, newName, signal, own);
  const { author, reason } = request;
  const renamed = await renameRows(db, { name, newName, author, reason: reason || `renamed from ${name}` });
  switch (renamed.outcome) {
    case "missing":
      throw await missingRepositoryError(db, name);
    case "taken":
      throw repositoryExistsError(newName);
    case "session":
      throw new LockstepError(
        "TURN_HELD",
        `A write session of ${renamed.holder} is open in ${name}, and it works in a directory that would move; wait for its end, or abort it.`,
        { details: { repository: name, holder: renamed.holder } },
      );
  }
  await crashPoint("rename.decided");
  await notifyCommands(db, renamed.devices).catch(() => {});
  return await untilCarriedOut(context, renamed.commands, signal, request.atOnce);
}

/**
 * Returns the id of the repository to rename. undefined: an earlier call has renamed it. Throws REPOSITORY_NOT_FOUND.
 */
async function findUnlessRenamed(context: SyncContext, name: string, newName: string): Promise<string | undefined> {
  try {
    return (await findRepository(context.db, name)).id;
  } catch (error) {
    if (error instanceof LockstepError && error.details.renamed_to === newName) return undefined;
    throw error;
  }
}
