// Takes a repository out of service. That is one transaction. Then each device moves its files aside, from where a
// restore takes them back (restore-repository.ts). Once its time is over, they are freed.
import { crashPoint } from "../../crash-points.ts";
import { isUuid } from "../../domain.ts";
import { LockstepError } from "../../errors.ts";
import { repositoryName } from "../../names.ts";
import { type Command, notifyCommands } from "../../store/command/commands.ts";
import { missingRepositoryError } from "../../store/repository/former-names.ts";
import { removeRepository as removeRows } from "../../store/repository/removals.ts";
import { findRepository } from "../../store/repository/repositories.ts";
import type { SyncContext } from "../device/context.ts";
import { untilCarriedOut } from "./await-commands.ts";

export interface RemoveRequest {
  readonly repository: string;
  /** Its id. Empty: that of the repository which has the name now. */
  readonly repositoryId: string;
  readonly keepDays: number;
  readonly author: string;
  readonly reason: string;
  /** True: does not wait for the devices. */
  readonly atOnce?: boolean;
}

const KEEP_DAYS_LIMIT = 36_500;

/**
 * Removes a repository, and waits until every live device has moved its files aside. Returns the command of each device
 * and until when the repository can be restored. With an id a repeated call gets the same answer. Throws INVALID_NAME,
 * INVALID_REQUEST, REPOSITORY_NOT_FOUND, DATABASE_UNAVAILABLE.
 */
export async function removeRepository(
  context: SyncContext,
  request: RemoveRequest,
  signal: AbortSignal,
): Promise<{ id: string; commands: Command[]; keepUntil: Date }> {
  const { db } = context;
  const { keepDays, author, reason } = request;
  const name = repositoryName(request.repository);
  if (keepDays > KEEP_DAYS_LIMIT)
    throw new LockstepError("INVALID_REQUEST", `Removed files are kept for at most ${KEEP_DAYS_LIMIT} days.`);
  const id = idOf(request.repositoryId) ?? (await findRepository(db, name)).id;
  const removed = await removeRows(db, { id, name, keepDays, author, reason });
  if (removed.outcome === "missing") throw await missingRepositoryError(db, name);
  await crashPoint("remove.decided");
  await notifyCommands(db, removed.devices).catch(() => {});
  return {
    id,
    commands: await untilCarriedOut(context, removed.commands, signal, request.atOnce),
    keepUntil: removed.keep_until,
  };
}

/** Returns the id that a caller gave. undefined: none. Throws INVALID_REQUEST. */
export function idOf(given: string): string | undefined {
  if (given === "") return undefined;
  if (isUuid(given)) return given;
  throw new LockstepError("INVALID_REQUEST", `${JSON.stringify(given.slice(0, 100))} is no id of a repository.`);
}
