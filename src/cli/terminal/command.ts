// What all subcommands share: flags from the table of settings, one way to print, one way to fail.
import { Command } from "commander";
import pino, { type Logger } from "pino";
import type { Call, Client } from "../../client/client.ts";
import { type Config, readConfig, required, SETTINGS, settingsOf, unknownVariables, variableOf } from "../../config.ts";
import type { Host } from "../../host.ts";
import { logLines } from "../../io/log-lines.ts";
import { socketPath } from "../../io/socket-path.ts";
import { visible } from "../../io/visible.ts";

const PATIENCE_MS = 30_000;

export interface Run {
  readonly host: Host;
  readonly config: Config;
  readonly json: boolean;
  readonly log: Logger;
  /** For calls whose answer needs no catch-up. Ctrl-C ends them. */
  readonly patience: Call;
  /** Prints the answer: the document with --json, else the text. */
  print(document: unknown, text: string): void;
  /** A client of the sidecar on this machine. Loads gRPC, which commands that call nothing do without. */
  connect(): Promise<Client>;
}

/** Makes a subcommand with the flags of its settings, --json and an example in its help. */
export function subcommand(name: string, summary: string, example: string, settings = name): Command {
  const command = new Command(name).description(summary).option("--json", "print one JSON document");
  for (const setting of settingsOf(settings)) {
    const { value, help, ...rest } = SETTINGS[setting];
    const fallback = "default" in rest && rest.default !== "" ? `, default ${rest.default}` : "";
    command.option(`--${setting} <${value}>`, `${help} [${variableOf(setting)}${fallback}]`);
  }
  return command.addHelpText("after", `\nExample:\n  ${example}\n`);
}

/** Reads the settings of a subcommand and makes what it works with. */
export function prepare(host: Host, settings: string, flags: Record<string, unknown>): Run {
  const config = readConfig(settings, flags, host.env, host.cwd);
  const level = config["log-level"] ?? "warn";
  const log = pino({ level, formatters: { level: (label) => ({ level: label }) } }, logLines(2));
  for (const name of unknownVariables(host.env))
    log.warn({ variable: name }, "this variable is no setting of Lockstep; see docs/configuration.md");
  const json = flags.json === true;
  return {
    host,
    config,
    json,
    log,
    patience: { timeoutMs: PATIENCE_MS, signal: host.stop },
    print: (document, text) =>
      void host.stdout.write(json ? `${JSON.stringify(document)}\n` : text === "" ? "" : `${text}\n`),
    connect: async () => {
      const socket = socketPath(required(config, "socket-dir"), "lockstep.sock");
      return new (await import("../../client/client.ts")).Client({ socket });
    },
  };
}

/** The person at the terminal, to be shown to others; sudo tells who that was. */
export function authorOf({ env }: Host): string {
  return env.SUDO_USER ?? env.USER ?? "";
}

/** Ends the program with that code; what was to be said has been printed. */
export class Exit extends Error {
  readonly exitCode: number;

  constructor(exitCode: number) {
    super(`exit ${exitCode}`);
    this.exitCode = exitCode;
  }
}

/** Rows in columns, with a heading. What strangers wrote into a cell cannot act on the terminal. */
export function table(heading: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [heading, ...rows.map((row) => row.map(visible))];
  const widths = heading.map((_, column) => all.reduce((most, row) => Math.max(most, (row[column] ?? "").length), 0));
  return all
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/** Milliseconds as a person reads them. */
export function duration(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}
