// `lockstep command`: the queue of commands.
import { Command } from "commander";
import type { Client } from "../../client/client.ts";
import { LockstepError } from "../../errors.ts";
import type { Command__Output as QueuedCommand } from "../../generated/lockstep/v1/Command.ts";
import type { Host } from "../../host.ts";
import { toMs } from "../../protocol/times.ts";
import { ahead } from "../terminal/ago.ts";
import { authorOf, Exit, prepare, type Run, subcommand } from "../terminal/command.ts";
import { limitOf } from "../terminal/flag-values.ts";
import { Progress } from "../terminal/progress.ts";
import { table } from "../terminal/styled.ts";
import { isResting } from "../text/parts-of-devices.ts";
import { instant, lasting, moment } from "../text/times.ts";

const STATES = ["queued", "running", "done", "failed", "superseded"] as const;

/** Makes the command `lockstep command`. */
export function commandCommand(host: Host): Command {
  return new Command("command")
    .description("look at the commands that devices are asked to carry out, or ask for one")
    .addCommand(listCommand(host))
    .addCommand(showCommand(host))
    .addCommand(enqueueCommand(host));
}

function listCommand(host: Host): Command {
  return subcommand("list", "list commands, newest first", "lockstep command list --state failed", "command")
    .option("--repository <name>", "only those of this repository", "")
    .option("--device <device>", "only those of this device", "")
    .option("--state <state>", `only those in this state: ${STATES.join(", ")}`, "")
    .option("--limit <n>", "commands to show, up to 1000", "100")
    .action(async (flags: Record<string, string>) => {
      const run = prepare(host, "command", flags);
      const { repository = "", device = "", state = "", limit = "" } = flags;
      if (state !== "" && !STATES.some((each) => each === state))
        throw usageError(`There is no state ${JSON.stringify(state)}; the states are ${STATES.join(", ")}.`);
      const shown = limitOf(limit, "name a repository, a device or a state to see others");
      using client = await run.connect();
      const states = state === "" ? [] : [`COMMAND_STATE_${state.toUpperCase()}` as "COMMAND_STATE_QUEUED"];
      const request = { repository, device, states, limit: shown };
      const { commands } = await client.call("ListCommands", request, run.patience);
      run.print({ commands: commands.map(documentOf) }, describeCommands(commands));
    });
}

function showCommand(host: Host): Command {
  return subcommand("show", "show one command", "lockstep command show ID", "command")
    .argument("<id>")
    .action(async (id: string, flags) => {
      const run = prepare(host, "command", flags);
      using client = await run.connect();
      const { command } = await client.call("GetCommand", { id }, run.patience);
      if (command) run.print(documentOf(command), describeOne(command));
    });
}

function enqueueCommand(host: Host): Command {
  return subcommand(
    "enqueue",
    "ask devices to do something with their replicas: sync, verify, repair or gc",
    "lockstep command enqueue verify team/app --device repo002 --wait",
    "command",
  )
    .argument("<command>")
    .argument("<name>", "the repository")
    .option("--device <device>", "only this device; otherwise each one that holds the repository", "")
    .option("--reason <text>", "why, for the list of commands", "")
    .option("--wait", "wait until the commands have ended")
    .action(async (command: string, name: string, flags: Record<string, string | boolean>) => {
      const run = prepare(host, "command", flags);
      using client = await run.connect();
      const request = {
        repository: name,
        command,
        device: String(flags.device ?? ""),
        author: authorOf(host),
        reason: String(flags.reason ?? ""),
      };
      const { commands } = await client.call("EnqueueCommand", request, run.patience);
      const ended = flags.wait ? await untilEnded(run, client, commands) : commands;
      run.print({ commands: ended.map(documentOf) }, describeCommands(ended));
      if (ended.some(({ state }) => state === "COMMAND_STATE_FAILED")) throw new Exit(1);
    });
}

/** Waits until all commands have ended and returns them as they are then. Shows which devices it waits for. */
async function untilEnded(run: Run, client: Client, commands: readonly QueuedCommand[]): Promise<QueuedCommand[]> {
  using progress = new Progress(run.host.stderr, run.json);
  const byId = new Map(commands.map((command) => [command.id, command]));
  const stream = client.stream("WatchCommands", { ids: [...byId.keys()] }, run.host.stop);
  for await (const { command } of stream) {
    if (command) byId.set(command.id, command);
    const open = [...byId.values()].filter(({ endedAt }) => endedAt === null);
    if (open.length > 0) progress.wait(`waiting for ${open.map(describeWaiting).join("; ")}`);
  }
  progress.stop();
  return [...byId.values()];
}

function describeWaiting({ command, device, deviceLive, error, attempts }: QueuedCommand): string {
  if (!deviceLive) return `${command} on ${device}, which is away`;
  return error === "" ? `${command} on ${device}` : `${command} on ${device} (attempt ${attempts} failed: ${error})`;
}

/** Returns a command as --json prints it. */
function documentOf(command: QueuedCommand) {
  return {
    id: command.id,
    repository: command.repository,
    device: command.device,
    command: command.command,
    state: stateOf(command),
    author: command.author,
    reason: command.reason,
    attempts: command.attempts,
    error: command.error || null,
    outcome: command.outcome === "" ? null : (JSON.parse(command.outcome) as unknown),
    created_at: command.createdAt && instant(command.createdAt),
    started_at: command.startedAt && instant(command.startedAt),
    ended_at: command.endedAt && instant(command.endedAt),
    due_at: command.endedAt === null && command.dueAt ? instant(command.dueAt) : null,
    device_live: command.deviceLive,
  };
}

function stateOf({ state }: QueuedCommand): string {
  return state.replace("COMMAND_STATE_", "").toLowerCase();
}

function describeCommands(commands: readonly QueuedCommand[]): string {
  if (commands.length === 0) return "There are no commands.";
  return table(
    ["command", "repository", "device", "state", "since", "id", "note"],
    commands.map((each) => [
      each.command,
      each.repository,
      each.device,
      stateForPeople(each),
      moment(each.endedAt ?? each.startedAt ?? each.createdAt),
      each.id,
      noteOf(each),
    ]),
  );
}

function noteOf(command: QueuedCommand): string {
  if (command.endedAt === null && !command.deviceLive)
    return `waits for ${command.device}${command.deviceAwaySince ? `, away for ${lasting(command.deviceAwaySince)}` : ", which is away"}`;
  if (isResting(command))
    return `attempt ${command.attempts} failed, the next one is due ${due(command)}: ${command.error}`;
  return command.error || command.outcome;
}

/** After an error a command is queued again. A person reads that it rests. */
function stateForPeople(command: QueuedCommand): string {
  return isResting(command) ? "rests" : stateOf(command);
}

/** Says when a command may run: "now", "in 3 min". */
function due({ dueAt }: QueuedCommand): string {
  return ahead(new Date(toMs(dueAt as never) ?? 0));
}

function describeOne(command: QueuedCommand): string {
  const lines = [
    `${command.command} of ${command.repository} on ${command.device}: ${stateForPeople(command)}`,
    `asked for by ${command.author} ${moment(command.createdAt)}${command.reason ? ` (${command.reason})` : ""}`,
    command.startedAt ? `started ${moment(command.startedAt)}, attempt ${command.attempts}` : "not started yet",
    command.endedAt ? `ended ${moment(command.endedAt)}` : `due ${due(command)}`,
    noteOf(command),
  ];
  return lines.filter(Boolean).join("\n");
}

function usageError(sentence: string): LockstepError {
  return new LockstepError("USAGE", sentence);
}
