// `lockstep shell`: becomes `lockstep-shell`, the program for sshd. sshd itself starts that one, which starts no Node.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { Command } from "commander";
import { ExitCode, LockstepError } from "../../errors.ts";
import { STATE_DIR } from "../../git/root/root-record.ts";
import type { Host } from "../../host.ts";
import { required } from "../../settings/read-config.ts";
import { Exit, prepare, subcommand } from "../terminal/command.ts";

/** Makes the command `lockstep shell`. */
export function shellCommand(host: Host): Command {
  return subcommand(
    "shell",
    "serve one clone, fetch or push as sshd asks for it; the program lockstep-shell does the same without Node",
    "lockstep shell --root /srv/git -c \"git-upload-pack 'team/app.git'\"",
  )
    .usage("[--root DIR] [-c COMMAND]")
    .option("-c <COMMAND>", "the request (default: that in SSH_ORIGINAL_COMMAND)")
    .action(async (flags: Record<string, unknown>) => {
      const { config } = prepare(host, "shell", flags);
      const program = join(required(config, "root"), STATE_DIR, "bin", "lockstep-git");
      const request = flags.c === undefined ? [] : ["-c", String(flags.c)];
      throw new Exit(await run(host, program, ["lockstep-shell", ...request]));
    });
}

/** Runs a program with this process's environment, input and output. Returns its exit code. */
async function run(host: Host, program: string, words: readonly string[]): Promise<number> {
  const child = spawn(program, words, { env: host.env, stdio: "inherit" });
  host.stop.addEventListener("abort", () => child.kill("SIGTERM"));
  const [code] = (await once(child, "close").catch((cause: NodeJS.ErrnoException) => {
    throw new LockstepError(
      "PREREQUISITE_MISSING",
      `${program} cannot be started (${cause.code}); start \`lockstep serve\` with this root once, which writes it.`,
      { cause },
    );
  })) as [number | null];
  return code ?? ExitCode.FAILED;
}
