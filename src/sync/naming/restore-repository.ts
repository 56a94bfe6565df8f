// Puts a repository that was removed back into service. Each device takes its files back.
import { crashPoint } from "../../crash-points.ts";
import { LockstepError } from "../../errors.ts";
import { repositoryName } from "../../names.ts";
import { type Command, notifyCommands } from "../../store/command/commands.ts";
import { repositoryNotFoundError } from "../../store/repository/former-names.ts";
import {
  newestRemoval,
  type RemovedRepository,
  removalOf,
  removedError,
  restoreRepository as restoreRows,
} from "../../store/repository/removals.ts";
import { findRepository, isRepository } from "../../store/repository/repositories.ts";
import type { SyncContext } from "../device/context.ts";
import { refuseOccupied } from "../operator/refuse-occupied.ts";
import { untilCarriedOut } from "./await-commands.ts";
import { idOf } from "./remove-repository.ts";

export interface RestoreRequest {
  /** The name that it had. */
  readonly repository: string;
  /** Its id. Empty: of the repositories that had the name, the one that was removed last. */
  readonly repositoryId: string;
  /** The name that it gets. Empty: the one that it had. */
  readonly newName: string;
  readonly author: string;
  readonly reason: string;
  /** True: does not wait for the devices. */
  readonly atOnce?: boolean;
}

export interface Restored {
  readonly id: string;
  readonly name: string;
  readonly commands: Command[];
}

/**
 * Restores a repository with its log, and waits until every live device has its replica back. Returns the command of
 * each device; devices that are away carry theirs out when they are back. With an id a repeated call gets the same
 * answer. Throws INVALID_NAME, INVALID_REQUEST, REPOSITORY_NOT_FOUND, REPOSITORY_EXISTS, DIRECTORY_EXISTS,
 * DATABASE_UNAVAILABLE.
 */
export async function restoreRepository(
  context: SyncContext,
  request: RestoreRequest,
  signal: AbortSignal,
): Promise<Restored> {
  const { db } = context;
  const former = repositoryName(request.repository);
  const name = request.newName === "" ? former : repositoryName(request.newName);
  const given = idOf(request.repositoryId);
  const removal = given === undefined ? await newestRemoval(db, former) : await removalOf(db, given);
  const id = removal?.id ?? given;
  if (id === undefined) throw await notRemovedError(context, former);
  if (removal !== undefined) {
    if (removal.name !== former)
      throw new LockstepError("INVALID_REQUEST", `The repository ${id} was called ${removal.name}, not ${former}.`);
    if (!removal.restorable) throw removedError(former, removal);
    if (await isRepository(db, name)) throw takenError(name, removal);
    await refuseOccupied(context, name, signal, id);
  }
  const { author, reason } = request;
  const restored = await restoreRows(db, { id, name, author, reason: reason || `restored ${former}` });
  switch (restored.outcome) {
    case "missing":
      throw await notRemovedError(context, former);
    case "taken":
      throw takenError(name, { id, name: former });
    case "expired":
      throw removedError(former, { ...(removal as RemovedRepository), restorable: false });
    case "gone":
      throw new LockstepError(
        "REPOSITORY_NOT_FOUND",
        `The repository ${former} cannot be restored: no device of the cluster keeps its newest version any more.`,
        { details: { repository: former, repository_id: id } },
      );
  }
  await crashPoint("restore.decided");
  await notifyCommands(db, restored.devices).catch(() => {});
  return { id, name, commands: await untilCarriedOut(context, restored.commands, signal, request.atOnce) };
}

function takenError(name: string, removal: { id: string; name: string }): LockstepError {
  return new LockstepError(
    "REPOSITORY_EXISTS",
    `Another repository is called ${name} now; give the removed one another name: \`lockstep repo restore ${removal.name} --as NEW\`.`,
    { details: { repository: name, repository_id: removal.id } },
  );
}

async function notRemovedError({ db }: SyncContext, name: string): Promise<LockstepError> {
  const isThere = await findRepository(db, name).then(
    () => true,
    () => false,
  );
  if (!isThere) return repositoryNotFoundError(name);
  return new LockstepError(
    "REPOSITORY_NOT_FOUND",
    `No removed repository was called ${name}, and the one that is called so is in service; \`lockstep repo list --removed\` lists the removed ones.`,
    { details: { repository: name } },
  );
}
