import { LockstepError } from "../errors.ts";
import type { GitCommand, GitRequest } from "./git-session.ts";

// One argument in git's quotes: '…', with '\'' and '\!' for the two characters that git puts outside.
const GIT_COMMAND = /^git[- ](upload-pack|receive-pack) '((?:[^']|'\\['!]')+)'$/;

/**
 * Reads the request of an ssh client: one of the two programs, and a directory. Throws PERMISSION_DENIED for any other.
 */
export function parseSshCommand(request: string | undefined): GitRequest {
  if (request === undefined)
    throw new LockstepError(
      "PERMISSION_DENIED",
      "this account serves git and has no shell; use it as the address of a git remote.",
    );
  const [, command, quoted] = GIT_COMMAND.exec(request) ?? [];
  if (command === undefined || quoted === undefined)
    throw new LockstepError(
      "PERMISSION_DENIED",
      `this account serves git clone, git fetch and git push only, and refuses: ${request.slice(0, 200)}`,
    );
  return { command: command as GitCommand, directory: quoted.replace(/'\\(['!])'/g, "$1") };
}
