import { constants } from "node:fs";
import { access } from "node:fs/promises";
import type { Command } from "commander";
import { type Config, required } from "../config.ts";
import { describe, ExitCode } from "../errors.ts";
import { gitVersion } from "../git/process.ts";
import { hasNativeShim } from "../git/shim.ts";
import type { Host } from "../host.ts";
import { socketPath } from "../sockets.ts";
import { inspectDatabase, knownSchemaLevel } from "../store/migrate.ts";
import { readTls } from "../tls-files.ts";
import { Exit, prepare, subcommand, table } from "./command.ts";

interface Finding {
  readonly check: string;
  readonly state: "ok" | "warning" | "missing";
  /** What was found; what to do where that is not well. */
  readonly said: string;
}

export function doctorCommand(host: Host): Command {
  return subcommand(
    "doctor",
    "checks what `serve` needs here, with a remedy for each thing that is missing",
    "lockstep doctor --device repo001 --root /srv/git --tls-cert repo001.pem --tls-key repo001.key --tls-ca ca.pem",
    "serve",
  ).action(async (flags) => {
    const run = prepare(host, "serve", flags);
    const findings = await Promise.all(CHECKS.map(([check, look]) => find(check, () => look(run.config, host))));
    const ok = findings.every(({ state }) => state !== "missing");
    const rows = findings.map(({ check, state, said }) => [state, check, said]);
    run.print({ ok, checks: findings }, table(["state", "check", "what"], rows));
    if (!ok) throw new Exit(ExitCode.FAILED);
  });
}

type Look = (config: Config, host: Host) => Promise<string | { warning: string }>;

const CHECKS: readonly (readonly [string, Look])[] = [
  ["git", async (_, host) => await gitVersion({ path: host.env.PATH ?? "", home: "/", lockFd: null }, "/")],
  [
    "shim",
    async () =>
      (await hasNativeShim())
        ? "native"
        : {
            warning:
              "the Node program; install a C compiler and run `npm run build`, so that a push does not start Node",
          },
  ],
  [
    "root",
    async (config) => {
      const root = required(config, "root");
      await access(root, constants.R_OK | constants.W_OK | constants.X_OK).catch((cause: Error) => {
        throw new Error(`${cause.message}; make the directory, owned by the user that runs serve and the git server`);
      });
      return root;
    },
  ],
  ["sockets", async (config) => socketPath(required(config, "socket-dir"), "lockstep.sock")],
  [
    "certificate",
    async (config) => {
      const device = required(config, "device");
      const { trustDomain } = await readTls(config, device);
      return `device ${device} of ${trustDomain}`;
    },
  ],
  ["database", lookAtDatabase],
];

async function lookAtDatabase(config: Config): Promise<string | { warning: string }> {
  const { version, standby, level } = await inspectDatabase(required(config, "database-url"));
  if (standby) throw new Error("this is a standby; the URL must lead to the primary");
  const known = knownSchemaLevel();
  if (level === known) return `PostgreSQL ${version}, schema level ${level}`;
  return {
    warning: `PostgreSQL ${version}, schema level ${level} of ${known}; serve migrates it, or \`lockstep migrate\``,
  };
}

async function find(check: string, look: () => ReturnType<Look>): Promise<Finding> {
  try {
    const said = await look();
    return typeof said === "string" ? { check, state: "ok", said } : { check, state: "warning", said: said.warning };
  } catch (error) {
    return { check, state: "missing", said: describe(error) };
  }
}
