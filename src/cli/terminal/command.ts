// Shared by all subcommands: flags from the table of settings, printing, and exit codes.
import { Command, Option } from "commander";
import pino, { type Logger } from "pino";
import type { Call, Client } from "../../client/client.ts";
import type { Host } from "../../host.ts";
import { err, logLines } from "../../io/log-lines.ts";
import { socketPath } from "../../io/socket-path.ts";
import { visibleJson } from "../../io/visible.ts";
import { type Config, SETTINGS, settingsOf, variableOf } from "../../settings/config.ts";
import { readConfig, required, unknownVariables } from "../../settings/read-config.ts";
import { traceFields } from "../../tracing/tracing.ts";
import { lookOf, shown } from "./styled.ts";

const PATIENCE_MS = 30_000;
/** Shortens waits for tests (src/waits.ts). Only `serve` warns of it, because tests read what other commands say. */
const OF_TESTS = "LOCKSTEP_WAITS_FACTOR";

export interface Run {
  readonly host: Host;
  readonly config: Config;
  readonly json: boolean;
  readonly log: Logger;
  /** Limits of a call whose answer needs no catch-up: 30 s, and Ctrl-C cancels the call. */
  readonly patience: Call;
  /** Prints `document` as JSON if --json was given, else `text`. */
  print(document: unknown, text: string): void;
  /** Loads gRPC and makes a client of the sidecar on this machine. The caller disposes of the client. */
  connect(): Promise<Client>;
}

/** Run until they are stopped, and print no document. With --json they print a failure as one, as all commands do. */
const PRINT_NOTHING = ["serve", "gate", "shell"];

/** Makes a subcommand with --json, the flags of the settings of `settings`, and an example in its help. */
export function subcommand(name: string, summary: string, example: string, settings = name): Command {
  const json = new Option("--json", "print one JSON document").hideHelp(PRINT_NOTHING.includes(name));
  const command = new Command(name).description(summary).addOption(json);
  for (const setting of settingsOf(settings)) {
    const { value, help, ...rest } = SETTINGS[setting];
    const fallback = "default" in rest && rest.default !== "" ? `, default ${rest.default}` : "";
    command.option(`--${setting}${value && ` <${value}>`}`, `${help} [${variableOf(setting)}${fallback}]`);
  }
  return command.addHelpText("after", `\nExample:\n  ${example}\n`);
}

/**
 * Reads the settings of a subcommand and returns its `Run`. Warns of unknown variables; throws USAGE on a wrong value.
 */
export function prepare(host: Host, settings: string, flags: Record<string, unknown>): Run {
  const config = readConfig(settings, flags, host.env, host.cwd);
  const level = config["log-level"] ?? "warn";
  const formatters = { level: (label: string) => ({ level: label }) };
  const log = pino({ level, formatters, serializers: { err }, mixin: traceFields }, logLines(2));
  for (const name of unknownVariables(host.env).filter((name) => settings === "serve" || name !== OF_TESTS))
    log.warn({ variable: name }, "this variable is no setting of Lockstep; see docs/configuration.md");
  const json = flags.json === true;
  return {
    host,
    config,
    json,
    log,
    patience: { timeoutMs: PATIENCE_MS, signal: host.stop },
    print: (document, text) =>
      void host.stdout.write(
        json
          ? `${visibleJson(JSON.stringify(document))}\n`
          : text === ""
            ? ""
            : `${shown(text, lookOf(host.env, host.stdout))}\n`,
      ),
    connect: async () => {
      const socket = socketPath(required(config, "socket-dir"), "lockstep.sock");
      return new (await import("../../client/client.ts")).Client({ socket });
    },
  };
}

/**
 * Returns the name of the person at the terminal, which other people see. Under sudo it is the user who called sudo.
 */
export function authorOf({ env }: Host): string {
  return env.SUDO_USER ?? env.USER ?? "";
}

/** Ends the program with `exitCode` when thrown. The command has printed its output before. */
export class Exit extends Error {
  readonly exitCode: number;

  constructor(exitCode: number) {
    super(`exit ${exitCode}`);
    this.exitCode = exitCode;
  }
}

/** Returns milliseconds as a person reads them: "840 ms" or "2.5 s". */
export function duration(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

const WIDTH = 80;

/** Returns the text with line ends, so that no line is longer than a terminal. Further lines are indented more. */
export function wrapped(text: string, indent: string): string {
  const lines: string[] = [];
  let line = indent;
  for (const word of text.split(" ")) {
    if (line.trim() !== "" && line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = `${indent}  `;
    }
    line += line.trim() === "" ? word : ` ${word}`;
  }
  return [...lines, line].join("\n");
}
