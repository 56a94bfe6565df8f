// The one table of settings: flag, environment variable, default, help. Flags and variables are read here.
// docs/configuration.md is written from here.
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { LockstepError } from "./errors.ts";
import { completeDatabaseUrl, hasPassword } from "./io/database-url.ts";

/** Returns the end of the sentence "--flag must …" for a wrong value, and undefined for a good one. */
type Check = (text: string) => string | undefined;

const hostPort: Check = (text) =>
  !/^(\[[0-9a-fA-F:]+\]|[^:\s]+):\d{1,5}$/.test(text)
    ? "must be HOST:PORT"
    : parseHostPort(text).port > 65_535
      ? "must be HOST:PORT, with a port up to 65535"
      : undefined;
const notEmpty: Check = (text) => (text === "" ? "must not be empty" : undefined);
const anyText: Check = () => undefined;
const digits =
  (what: string): Check =>
  (text) =>
    /^\d+$/.test(text) ? undefined : `must be ${what}`;
const oneOf =
  (...words: readonly string[]): Check =>
  (text) =>
    words.includes(text) ? undefined : `must be ${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
/** Accepts any text here: `completeDatabaseUrl` checks it. */
const postgresUrl: Check = () => undefined;

interface Setting {
  readonly check: Check;
  readonly value: string;
  readonly default?: string;
  readonly help: string;
  /** The commands that take this setting. */
  readonly commands: readonly string[];
}

const SERVE = ["serve"];
const DATABASE = ["serve", "migrate", "demo"];
const CLIENT = [
  "repo",
  "device",
  "status",
  "sync",
  "lock",
  "write-lock",
  "thaw",
  "log",
  "verify",
  "command",
  "watch",
  "hook",
  "retention",
  "gate",
  "serve",
];

export const SETTINGS = {
  device: { check: notEmpty, value: "NAME", help: "name of this device, as in its certificate", commands: SERVE },
  root: {
    check: notEmpty,
    value: "DIR",
    help: "directory of the repositories: NAME lies at DIR/NAME.git",
    commands: ["serve", "gate"],
  },
  "database-url": {
    check: postgresUrl,
    value: "URL",
    help: "address of PostgreSQL, as libpq takes it: postgres://user@host:port/database or key=value words, also with several hosts; no password on the command line",
    commands: DATABASE,
  },
  "database-url-file": {
    check: notEmpty,
    value: "FILE",
    help: "file with the database URL, password included",
    commands: DATABASE,
  },
  "notify-database-url": {
    check: postgresUrl,
    value: "URL",
    help: "address of PostgreSQL for LISTEN, if --database-url leads through a pooler in transaction mode; without it LISTEN goes to the pooler, and polling finds new versions",
    commands: SERVE,
  },
  listen: {
    check: hostPort,
    value: "HOST:PORT",
    default: "127.0.0.1:7420",
    help: "address of gRPC over mutual TLS",
    commands: SERVE,
  },
  "git-listen": {
    check: hostPort,
    value: "HOST:PORT",
    default: "127.0.0.1:7421",
    help: "address for other devices: packs, and git upload-pack for their stock git; over mutual TLS, read-only",
    commands: SERVE,
  },
  "http-listen": {
    check: hostPort,
    value: "HOST:PORT",
    default: "127.0.0.1:7422",
    help: "address of plain HTTP for this machine: health, metrics, /gate",
    commands: SERVE,
  },
  advertise: {
    check: notEmpty,
    value: "HOST",
    help: "host name at which other devices reach this one (default: the host of --git-listen)",
    commands: SERVE,
  },
  "socket-dir": {
    check: notEmpty,
    value: "DIR",
    default: "/run/lockstep",
    help: "directory of lockstep.sock and hook.sock",
    commands: CLIENT,
  },
  "tls-cert": {
    check: notEmpty,
    value: "FILE",
    help: "certificate of this device, PEM, with one URI spiffe://TRUST-DOMAIN/device/NAME",
    commands: SERVE,
  },
  "tls-key": { check: notEmpty, value: "FILE", help: "private key of --tls-cert, PEM", commands: SERVE },
  "tls-ca": {
    check: notEmpty,
    value: "FILE",
    help: "certificates of the trusted authorities, PEM",
    commands: SERVE,
  },
  zone: {
    check: anyText,
    value: "ZONE",
    default: "",
    help: "zone of this device; it fetches objects from its own zone first",
    commands: SERVE,
  },
  "ref-format": {
    check: oneOf("files", "reftable"),
    value: "FORMAT",
    default: "files",
    help: "format in which git stores the refs of new replicas: files, or reftable (needs git 2.46 here and in the git server); devices may differ",
    commands: ["serve", "demo"],
  },
  "in-doubt-seconds": {
    check: digits("a number of seconds"),
    value: "SECONDS",
    default: "900",
    help: "how long the sidecar asks for the outcome of a push while the database does not answer; then it cuts the pusher off",
    commands: SERVE,
  },
  "gc-threads": {
    check: digits("a number of threads"),
    value: "THREADS",
    default: "1",
    help: "how many threads gc may use to search for deltas, at a low priority (pack.threads); 0: one for each processor",
    commands: SERVE,
  },
  "gc-memory": {
    check: digits("a number of MiB"),
    value: "MIB",
    default: "256",
    help: "how much memory each of these threads may use (pack.windowMemory); 0: no limit",
    commands: SERVE,
  },
  "scrub-days": {
    check: digits("a number of days"),
    value: "DAYS",
    default: "30",
    help: "within how many days every replica is verified in full, one after another; 0: only when somebody runs `lockstep verify --full`",
    commands: SERVE,
  },
  "log-level": {
    check: oneOf("debug", "info", "warn", "error"),
    value: "LEVEL",
    default: "info",
    help: "debug, info, warn or error; logs are JSON lines on standard error",
    commands: ["serve", "gate", "demo"],
  },
  "gate-listen": {
    check: hostPort,
    value: "HOST:PORT",
    default: "127.0.0.1:7480",
    help: "address of smart HTTP for git clients, anonymous",
    commands: ["gate"],
  },
  "exit-with-pid": {
    check: digits("a process id"),
    value: "PID",
    help: "id of another process; when that process has ended, this one ends too, as the devices of the demo do",
    commands: ["serve", "gate"],
  },
} as const satisfies Record<string, Setting>;

export type SettingName = keyof typeof SETTINGS;
/** The settings of one run. Those without a default may be absent. */
export type Config = Readonly<Partial<Record<SettingName, string>>>;

/** Returns the environment variable of a setting: LOCKSTEP_HTTP_LISTEN for --http-listen. */
export function variableOf(name: SettingName): string {
  return `LOCKSTEP_${name.toUpperCase().replaceAll("-", "_")}`;
}

/** Returns the settings that a command takes. */
export function settingsOf(command: string): SettingName[] {
  return (Object.keys(SETTINGS) as SettingName[]).filter((name) =>
    (SETTINGS[name].commands as readonly string[]).includes(command),
  );
}

/**
 * Returns the settings of a command: flag, else environment, else default. Throws USAGE on a wrong value, and on a
 * password on the command line, where every user of the machine can read it.
 */
export function readConfig(
  command: string,
  flags: Readonly<Record<string, unknown>>,
  env: Readonly<Record<string, string | undefined>>,
  cwd: string,
): Config {
  const config: Partial<Record<SettingName, string>> = {};
  for (const name of settingsOf(command)) {
    const setting: Setting = SETTINGS[name];
    const flag = flags[camelCase(name)];
    const given = typeof flag === "string" ? flag : env[variableOf(name)];
    const value = given ?? setting.default;
    if (value === undefined) continue;
    const complaint = setting.check(value);
    if (complaint !== undefined) {
      const where = typeof flag === "string" ? `--${name}` : variableOf(name);
      throw new LockstepError("USAGE", `${where} ${complaint}, not ${JSON.stringify(value.slice(0, 200))}.`);
    }
    if (name.endsWith("database-url") && typeof flag === "string" && hasPassword(flag)) {
      throw new LockstepError(
        "USAGE",
        `--${name} must not carry a password, which every user of this machine could read; use ${variableOf(name)} or --database-url-file.`,
      );
    }
    config[name] = setting.value === "DIR" || setting.value === "FILE" ? resolve(cwd, value) : value;
    if (setting.check === postgresUrl) {
      const what = `The value of ${typeof flag === "string" ? `--${name}` : variableOf(name)}`;
      config[name] = completeDatabaseUrl(value, env, what);
    }
  }
  const file = config["database-url-file"];
  if (file !== undefined) config["database-url"] = readUrl(file, env);
  return Object.freeze(config);
}

/** Returns the value of a setting that the command needs. Throws USAGE if it is absent or empty. */
export function required(config: Config, name: SettingName): string {
  const value = config[name];
  if (value !== undefined && value !== "") return value;
  throw new LockstepError("USAGE", `--${name} (or ${variableOf(name)}) is missing: ${SETTINGS[name].help}.`);
}

/** Splits HOST:PORT into its parts. Removes the brackets around an IPv6 address. */
export function parseHostPort(text: string): { host: string; port: number } {
  const colon = text.lastIndexOf(":");
  return { host: text.slice(0, colon).replace(/^\[|\]$/g, ""), port: Number(text.slice(colon + 1)) };
}

const NO_SETTINGS = new Set(["LOCKSTEP_PUSHER", "LOCKSTEP_REQUEST_ID"]);
// Kubernetes sets these variables in every pod if a service is named lockstep or lockstep-…
const OF_KUBERNETES = /^LOCKSTEP_(\w+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT(_\d+_(TCP|UDP)(_(PROTO|PORT|ADDR))?)?)$/;

/** Returns variables that begin with LOCKSTEP_ and are no settings. They are most likely misspelt. */
export function unknownVariables(env: Readonly<Record<string, string | undefined>>): string[] {
  const known = new Set((Object.keys(SETTINGS) as SettingName[]).map(variableOf));
  return Object.keys(env).filter(
    (name) => name.startsWith("LOCKSTEP_") && !known.has(name) && !NO_SETTINGS.has(name) && !OF_KUBERNETES.test(name),
  );
}

/** Returns the text of docs/configuration.md. */
export function configurationPage(): string {
  const rows = (Object.keys(SETTINGS) as SettingName[]).map((name) => {
    const { value, help, commands, ...rest }: Setting = SETTINGS[name];
    const fallback = rest.default ? `\`${rest.default}\`` : "";
    return `| \`--${name} ${value}\` | \`${variableOf(name)}\` | ${fallback} | ${commands.join(", ")} | ${help} |`;
  });
  return `# Configuration

Generated from \`src/config.ts\` by \`npm run generate\`. A flag wins over its environment variable, and the variable over
the default. An unknown flag is an error. A warning names each unknown variable that begins with \`LOCKSTEP_\`.

| flag | variable | default | commands | meaning |
|---|---|---|---|---|
${rows.join("\n")}
`;
}

function camelCase(name: string): string {
  return name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
}

function readUrl(file: string, env: Readonly<Record<string, string | undefined>>): string {
  let url: string;
  try {
    url = readFileSync(file, "utf8").trim();
  } catch (cause) {
    throw new LockstepError("USAGE", `The file ${file} of --database-url-file cannot be read; correct it.`, { cause });
  }
  return completeDatabaseUrl(url, env, `The content of the file ${file} of --database-url-file`);
}
