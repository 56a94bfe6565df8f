// Carries out the command `adopt`. The database does not know its repository yet, so the command has only a name.
import { describe, LockstepError } from "../errors.ts";
import type { Command, CommandEnd } from "../store/command/commands.ts";
import { type Adoption, adoptRepository } from "../sync/adopt/adopt-repository.ts";
import type { SyncContext } from "../sync/device/context.ts";

/** An error that does not pass in so many attempts ends the command. A scan then undoes it. */
const ATTEMPTS = 6;

/** Adopts the directory of the command's name. Throws errors that may pass. */
export async function performAdoption(context: SyncContext, command: Command): Promise<CommandEnd> {
  const { from } = command.arguments;
  const options = { from: typeof from === "string" ? from : undefined, dryRun: false, author: command.author };
  const adoption = await adoptRepository(context, command.repository, { ...options, signal: context.signal }).catch(
    (error: unknown): Adoption => {
      const isAway = error instanceof LockstepError && error.code === "DATABASE_UNAVAILABLE";
      if (context.signal.aborted || isAway || command.attempts < ATTEMPTS) throw error;
      return { refused: { repository: command.repository, reason: describe(error), differences: [] } };
    },
  );
  const outcome = { ...adoption };
  if ("refused" in adoption) return { state: "failed", outcome, error: adoption.refused.reason };
  return { state: "done", outcome, changed: "adopted" in adoption };
}
