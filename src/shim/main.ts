// native/lockstep-git.c for machines without a C compiler: `node main.js NAME …`, with the same names but for `flock`.
import { describe, LockstepError } from "../errors.ts";
import { runGit } from "./git-session.ts";
import { procReceive } from "./proc-receive.ts";
import { parseSshCommand } from "./ssh-command.ts";

async function run(name: string | undefined, args: readonly string[]): Promise<number> {
  const [first, second] = args;
  if (name === "proc-receive") return procReceive(process);
  if (name === "lockstep-upload-pack" && first && args.length === 1) return runGit(process, "upload-pack", first);
  if (name === "lockstep-receive-pack" && first && args.length === 1) return runGit(process, "receive-pack", first);
  if (name === "lockstep-shell") {
    // A login shell gets `-c`; where the administrator forces a command too, that is the one to judge.
    const request = first === "-c" ? second : process.env.SSH_ORIGINAL_COMMAND;
    const { command, directory } = parseSshCommand(request);
    return runGit(process, command, directory);
  }
  throw new LockstepError(
    "USAGE",
    "usage: proc-receive | lockstep-upload-pack DIR | lockstep-receive-pack DIR | lockstep-shell [-c COMMAND]",
  );
}

const [name, ...args] = process.argv.slice(2);
try {
  process.exit(await run(name, args));
} catch (error) {
  process.stderr.write(`lockstep: ${describe(error)}\n`);
  process.exit(error instanceof LockstepError && error.code === "USAGE" ? 2 : 1);
}
