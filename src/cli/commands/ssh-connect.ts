// `lockstep ssh-connect`: ssh to another device as this device, for GIT_SSH_COMMAND. git passes its arguments to it.
import { spawn } from "node:child_process";
import { once } from "node:events";
import type { Command } from "commander";
import { ExitCode, LockstepError } from "../../errors.ts";
import type { Host } from "../../host.ts";
import { sshArguments } from "../../ssh/options.ts";
import { asDevice, parseRequest } from "../../ssh/request.ts";
import { wrongHostKey } from "../../ssh/said.ts";
import { Exit, prepare, subcommand } from "../terminal/command.ts";

/** So many characters of what ssh says are looked at. */
const SAID_LIMIT = 4_000;

/** Makes the command `lockstep ssh-connect`. */
export function sshConnectCommand(host: Host): Command {
  return subcommand(
    "ssh-connect",
    "ssh to another device as this device, with its key and the host keys of the registry, usable as GIT_SSH_COMMAND; needs LOCKSTEP_AS_DEVICE=1",
    "LOCKSTEP_AS_DEVICE=1 GIT_SSH_COMMAND='lockstep ssh-connect' git ls-remote ssh://repo002/team/app.git",
  )
    .usage("[-p PORT] [-o SendEnv=GIT_PROTOCOL] [USER@]HOST [COMMAND…]")
    .argument("[arguments...]")
    .allowUnknownOption()
    .passThroughOptions()
    .action(async (given: string[], flags: Record<string, unknown>) => {
      asDevice(host.env);
      const { host: to, port, user, protocol, command, onlyAsks } = parseRequest(given, host.env);
      // git asks so whether this is an ssh of OpenSSH.
      if (onlyAsks) return;
      const run = prepare(host, "ssh-connect", flags);
      using client = await run.connect();
      const way = await client.call("FindSshWay", { host: to, port: port ?? 0 }, run.patience);
      if (user !== undefined && user !== way.user)
        throw new LockstepError(
          "INVALID_REQUEST",
          `The account of device ${way.device} is ${way.user} and not ${user}; leave the user out of the address.`,
        );
      client[Symbol.dispose]();
      throw new Exit(await connect(host, way, command, protocol));
    });
}

/** Runs ssh with this process's input and output. Returns its exit code. */
async function connect(
  host: Host,
  way: Parameters<typeof sshArguments>[0],
  command: string | undefined,
  protocol: string | undefined,
): Promise<number> {
  const sent = protocol === undefined ? [] : ["-o", "SendEnv=GIT_PROTOCOL"];
  const child = spawn("ssh", [...sent, ...sshArguments(way, command)], {
    env: {
      PATH: host.env.PATH ?? "/usr/bin:/bin",
      LC_ALL: "C",
      ...(protocol !== undefined && { GIT_PROTOCOL: protocol }),
    },
    stdio: ["inherit", "inherit", "pipe"],
  });
  host.stop.addEventListener("abort", () => child.kill("SIGTERM"));
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => {
    said = (said + chunk.toString("utf8")).slice(-SAID_LIMIT);
    host.stderr.write(chunk);
  });
  const [code] = (await once(child, "close").catch((cause: NodeJS.ErrnoException) => {
    throw new LockstepError(
      "PREREQUISITE_MISSING",
      `ssh cannot be started (${cause.code}); install OpenSSH's client.`,
      { cause },
    );
  })) as [number | null];
  const wrong = code === 0 ? undefined : wrongHostKey(said, way.device);
  if (wrong !== undefined) host.stderr.write(`lockstep: ${wrong}.\n`);
  return code ?? ExitCode.FAILED;
}
