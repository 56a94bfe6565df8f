// Puts commands into the queue of the devices that have a replica of a repository.

import { LockstepError } from "../../errors.ts";
import { deviceName, repositoryName } from "../../names.ts";
import {
  COMMANDS,
  type Command,
  type CommandName,
  enqueueCommand,
  notifyCommands,
} from "../../store/command/commands.ts";
import { listCommands } from "../../store/command/find-commands.ts";
import { noReplicaError, replicasOf } from "../../store/replica/replicas.ts";
import { findRepository } from "../../store/repository/repositories.ts";
import type { SyncContext } from "../device/context.ts";

/** The commands that an operator may ask for by name. The others have calls of their own, with checks of their own. */
const BY_NAME: readonly CommandName[] = ["provision", "sync", "verify", "repair", "gc", "release", "destroy"];

export interface CommandOrder {
  readonly repository: string;
  /** Empty: every device that has a replica, or is to have one. */
  readonly device: string;
  readonly command: string;
  readonly author: string;
  readonly reason: string;
}

/**
 * Adds a command for each of the devices and returns the rows. Throws INVALID_REQUEST, REPOSITORY_NOT_FOUND,
 * REPLICA_NOT_FOUND.
 */
export async function orderCommand(context: SyncContext, order: CommandOrder): Promise<Command[]> {
  const { db } = context;
  const name = repositoryName(order.repository);
  const wanted = order.device === "" ? undefined : deviceName(order.device);
  const command = BY_NAME.find((each) => each === order.command);
  if (command === undefined) throw unknownCommandError(order.command);
  const repository = await findRepository(db, name);
  const replicas = await replicasOf(db, repository.id);
  const devices = replicas
    .filter(({ device, state }) => (wanted === undefined ? state !== "destroyed" : device === wanted))
    .map(({ device }) => device);
  if (devices.length === 0) throw noReplicaError(wanted ?? context.me.device, name);
  const ids: string[] = [];
  for (const device of devices) {
    const { author, reason } = order;
    ids.push(
      await enqueueCommand(db, { repositoryId: repository.id, repository: name, device, command, author, reason }),
    );
  }
  await notifyCommands(db, devices);
  return await listCommands(db, { ids, limit: ids.length });
}

function unknownCommandError(command: string): LockstepError {
  const known = COMMANDS.find((each) => each === command);
  return new LockstepError(
    "INVALID_REQUEST",
    known === undefined
      ? `There is no command ${JSON.stringify(command.slice(0, 70))}; use one of ${BY_NAME.join(", ")}.`
      : `${known} cannot be enqueued by itself; use \`lockstep repo ${known}\`.`,
  );
}
