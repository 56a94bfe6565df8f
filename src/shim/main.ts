// The program of native/ for machines without a C compiler: `node main.js [--settings FILE] NAME …`, with the same
// names except `flock`.
import { LockstepError } from "../errors.ts";
import { authorizedKeys, serveDevice } from "./device.ts";
import { runGit } from "./git-session.ts";
import { preReceive } from "./pre-receive.ts";
import { procReceive } from "./proc-receive.ts";
import { readSettings, type ShimSettings } from "./settings.ts";
import { parseSshCommand } from "./ssh-command.ts";

async function run(settings: ShimSettings, name: string | undefined, args: readonly string[]): Promise<number> {
  const [first, second] = args;
  if (name === "proc-receive") return procReceive(process, settings);
  if (name === "pre-receive") return preReceive(process, args);
  const command = name === "lockstep-upload-pack" ? "upload-pack" : "receive-pack";
  if (name === `lockstep-${command}` && first && args.length === 1)
    return runGit(process, settings, { command, directory: first });
  if (name === "authorized-keys") return authorizedKeys(process, settings, args);
  if (name === "lockstep-shell") {
    // Only the administrator's line of authorized_keys can say this. A login shell gets a user's words behind -c.
    if (first === "--device") return serveDevice(process, settings, args);
    // A login shell gets `-c`. Where the administrator forces a command too, the argument of `-c` is the request to
    // check.
    const request = first === "-c" ? second : process.env.SSH_ORIGINAL_COMMAND;
    return runGit(process, settings, parseSshCommand(request));
  }
  throw new LockstepError(
    "USAGE",
    "usage: proc-receive | pre-receive [HOOK …] | lockstep-upload-pack DIR | lockstep-receive-pack DIR | lockstep-shell [-c COMMAND] | lockstep-shell --device NAME --key FINGERPRINT | authorized-keys SOCKET_DIR TYPE KEY",
  );
}

const given = process.argv.slice(2);
const file = given[0] === "--settings" ? given.splice(0, 2)[1] : undefined;
// As the native program: the first argument is the name when it is called by its own.
if (given[0] === "lockstep-git") given.shift();
const [name, ...args] = given;
try {
  process.exit(await run(readSettings(process.env, file), name, args));
} catch (error) {
  // Strangers read this sentence, and messages of the operating system name paths.
  const { code = "INTERNAL" } = error as NodeJS.ErrnoException;
  process.stderr.write(`lockstep: ${error instanceof LockstepError ? error.message : `the shim failed (${code}).`}\n`);
  process.exit(error instanceof LockstepError && error.code === "USAGE" ? 2 : 1);
}
