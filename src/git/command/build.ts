// The one builder of git commands. It is pure: the same operation, repository, transport and credential give the same
// arguments, environment and input. The programs that run git add nothing to them.
import type { Asked, NamedRepository, Way } from "./asked.ts";
import { asArguments, type Command, type Programs } from "./command.ts";
import { localEnvironment, userEnvironment } from "./environment.ts";
import type { ForUser, Local, Serve } from "./operations.ts";
import { refuse } from "./refuse.ts";
import { remoteCommand } from "./remote.ts";
import { serveCommand } from "./serve.ts";

/**
 * Returns the command for what is asked. Throws INVALID_REQUEST with the reason for a combination that the compiler did
 * not see.
 */
export function gitCommand(programs: Programs, asked: Asked): Command {
  refuse(asked);
  const { operation, repository } = asked;
  switch (operation.kind) {
    case "local":
      return {
        args: [...asArguments(operation.settings ?? {}), ...operation.args],
        env: localEnvironment(programs, repository.gitDir, operation),
      };
    case "user":
      return { args: operation.args, env: userEnvironment(programs, operation.variables) };
    case "serve":
      return serveCommand(programs, operation, repository);
    default:
      return remoteCommand(programs, operation, repository as NamedRepository, asked as Way);
  }
}

/** Returns the command for an operation on a directory of this machine, which needs no credential. */
export function here(programs: Programs, operation: Local | Serve | ForUser, gitDir: string): Command {
  const transport = { transport: "file" } as const;
  return gitCommand(programs, { operation, repository: { gitDir }, transport, credential: { credential: "none" } });
}
