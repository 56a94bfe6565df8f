// Carries out the command `adopt`. The database does not know its repository yet, so the command has only a name.
import type { Command, CommandEnd } from "../store/commands.ts";
import { adoptRepository } from "../sync/adopt/adopt-repository.ts";
import type { SyncContext } from "../sync/device/context.ts";

/** Adopts the directory of the command's name. Throws what may pass. */
export async function performAdoption(context: SyncContext, command: Command): Promise<CommandEnd> {
  const { from } = command.arguments;
  const adoption = await adoptRepository(context, command.repository, {
    from: typeof from === "string" ? from : undefined,
    dryRun: false,
    author: command.author,
    signal: context.signal,
  });
  const outcome = { ...adoption };
  if ("refused" in adoption) return { state: "failed", outcome, error: adoption.refused.reason };
  return { state: "done", outcome, changed: "adopted" in adoption };
}
