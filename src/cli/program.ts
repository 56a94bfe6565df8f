// The program `lockstep`: loads its subcommands, runs one, and reports every error.
import { Command, CommanderError, Help, type Option } from "commander";
import { ERROR_TABLE, ExitCode, LockstepError } from "../errors.ts";
import type { Host } from "../host.ts";
import { ownVersion } from "../installation.ts";
import { inSources } from "../io/stacks.ts";
import { visible } from "../io/visible.ts";
import { Exit } from "./terminal/command.ts";
import { lookOf, shown, styled } from "./terminal/styled.ts";

type MakeCommand = (host: Host) => Command;

/**
 * The subcommands in the order of the help. A run loads only the one that it needs, because most of a short run is
 * loading.
 */
const SUBCOMMANDS: Readonly<Record<string, () => Promise<MakeCommand>>> = {
  serve: async () => (await import("./commands/serve.ts")).serveCommand,
  demo: async () => (await import("./commands/demo.ts")).demoCommand,
  gate: async () => (await import("./commands/gate.ts")).gateCommand,
  repo: async () => (await import("./commands/repo.ts")).repoCommand,
  device: async () => (await import("./commands/device.ts")).deviceCommand,
  frontend: async () => (await import("./commands/frontend.ts")).frontendCommand,
  operator: async () => (await import("./commands/frontend.ts")).operatorCommand,
  status: async () => (await import("./commands/status.ts")).statusCommand,
  sync: async () => (await import("./commands/sync.ts")).syncCommand,
  lock: async () => (await import("./commands/lock.ts")).lockCommand,
  "write-lock": async () => (await import("./commands/write-lock.ts")).writeLockCommand,
  thaw: async () => (await import("./commands/thaw.ts")).thawCommand,
  log: async () => (await import("./commands/log.ts")).logCommand,
  watch: async () => (await import("./commands/watch.ts")).watchCommand,
  hook: async () => (await import("./commands/hook.ts")).hookCommand,
  verify: async () => (await import("./commands/verify.ts")).verifyCommand,
  command: async () => (await import("./commands/command.ts")).commandCommand,
  retention: async () => (await import("./commands/retention.ts")).retentionCommand,
  ca: async () => (await import("./commands/ca.ts")).caCommand,
  "ssh-connect": async () => (await import("./commands/ssh-connect.ts")).sshConnectCommand,
  shell: async () => (await import("./commands/shell.ts")).shellCommand,
  "install-shims": async () => (await import("./commands/install-shims.ts")).installShimsCommand,
  audit: async () => (await import("./commands/audit.ts")).auditCommand,
  doctor: async () => (await import("./commands/doctor.ts")).doctorCommand,
  migrate: async () => (await import("./commands/migrate.ts")).migrateCommand,
  version: async () => (await import("./commands/version.ts")).versionCommand,
  completion: async () => {
    const { completionCommand } = await import("./commands/completion.ts");
    return (host) => completionCommand(host, async () => withSubcommands(host, await askedFor([])));
  },
};

/** Runs the command line of `host` and returns the exit code. Prints errors instead of throwing them. */
export async function main(host: Host): Promise<number> {
  const program = withSubcommands(host, await askedFor(host.argv));
  for (const command of allCommands(program)) {
    command
      .exitOverride((error) => refuseUsage(command, error))
      .configureHelp({ optionDescription: describeOption })
      .configureOutput({
        writeOut: (text) => void host.stdout.write(text),
        writeErr: (text) => void host.stderr.write(text),
        // Only `report` prints errors.
        outputError: () => {},
      });
  }
  try {
    await program.parseAsync([...host.argv], { from: "user" });
    return ExitCode.OK;
  } catch (error) {
    return report(host, error);
  }
}

/** Makes the program with some of its subcommands. */
function withSubcommands(host: Host, makers: readonly MakeCommand[]): Command {
  const program = new Command("lockstep")
    .description(
      "Keeps every replica of a git repository in lockstep: push to any device, read the newest from any device.",
    )
    .version(
      `lockstep ${ownVersion()}`,
      "-V, --version",
      "print the version of Lockstep; `lockstep version` also prints those of git and the schema",
    )
    // `repo undo` has a --version of its own.
    .enablePositionalOptions()
    .addHelpText("after", "\nExample:\n  lockstep demo\n");
  for (const make of makers) program.addCommand(make(host));
  return program;
}

/**
 * Loads the subcommand that the first argument names. If the argument names none, loads all of them: the help lists
 * them, and commander suggests the nearest name.
 */
async function askedFor([first = ""]: readonly string[]): Promise<MakeCommand[]> {
  const load = Object.hasOwn(SUBCOMMANDS, first) ? SUBCOMMANDS[first] : undefined;
  return await Promise.all((load ? [load] : Object.values(SUBCOMMANDS)).map((each) => each()));
}

function allCommands(command: Command): Command[] {
  return [command, ...command.commands.flatMap((each) => allCommands(each as Command))];
}

/** Returns the text of an option in the help. An empty default says nothing, so it is left out. */
function describeOption(option: Option): string {
  const { defaultValue, description } = option;
  const isEmpty = defaultValue === "" || (Array.isArray(defaultValue) && defaultValue.length === 0);
  return isEmpty ? description : new Help().optionDescription(option);
}

/** Throws USAGE for an error of commander. If commander has printed help or the version, throws its own error again. */
function refuseUsage(command: Command, error: CommanderError): never {
  if (error.exitCode === 0 || error.code === "commander.help") throw error;
  const said = error.message
    .replace(/^error: /, "")
    .replace(/\.$/, "")
    .replaceAll("\n", " ");
  const path = [command.parent?.parent?.name(), command.parent?.name(), command.name()].filter(Boolean).join(" ");
  throw new LockstepError(
    "USAGE",
    `${said[0]?.toUpperCase()}${said.slice(1)}; \`${path} --help\` lists the arguments and options.`,
  );
}

/**
 * Turns an error of the operating system into PREREQUISITE_MISSING, and returns other errors unchanged. A port in use
 * or a directory without permission is no bug of Lockstep.
 */
function fromMachine(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { code, syscall, message } = error as NodeJS.ErrnoException;
  if (syscall === undefined) return error;
  const remedy =
    code === "EADDRINUSE"
      ? "end the process that has the address, or choose another one"
      : "correct the setting behind it";
  return new LockstepError("PREREQUISITE_MISSING", `This machine refuses (${message}); ${remedy}.`, { cause: error });
}

function report(host: Host, thrown: unknown): number {
  const error = fromMachine(thrown);
  // Commander has shown the help: the user asked for it, or left the subcommand out.
  if (error instanceof CommanderError) return error.exitCode === 0 ? ExitCode.OK : ExitCode.USAGE;
  if (error instanceof Exit) return error.exitCode;
  const json = host.argv.includes("--json");
  if (!(error instanceof LockstepError)) {
    const shown = error instanceof Error ? inSources(error.stack ?? error.message) : String(error);
    host.stderr.write(`lockstep: a bug: ${shown}\n`);
    if (json) host.stdout.write(`${JSON.stringify({ error: { code: "INTERNAL", message: String(error) } })}\n`);
    return ExitCode.FAILED;
  }
  const { code, message, details } = error;
  if (json) host.stdout.write(`${JSON.stringify({ error: { code, message, details } })}\n`);
  else {
    const look = lookOf(host.env, host.stderr);
    host.stderr.write(shown(`${styled("bad", "lockstep:")} ${visible(message)}\n`, look));
  }
  return ExitCode[ERROR_TABLE[code].exit];
}
