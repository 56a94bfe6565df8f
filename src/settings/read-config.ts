// Reads the settings of a command from flags, variables and defaults.
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { LockstepError } from "../errors.ts";
import { completeDatabaseUrl } from "../io/database-url/database-environment.ts";
import { hasPassword } from "../io/database-url/database-url.ts";
import { type Config, SETTINGS, type SettingName, settingsOf, variableOf } from "./config.ts";
import type { Setting } from "./setting.ts";
import { postgresUrl } from "./setting-checks.ts";

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
    const given = typeof flag === "string" ? flag : flag === true ? "1" : env[variableOf(name)];
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
  if (file !== undefined) config["database-url"] = readUrlFile(file, env);
  return Object.freeze(config);
}

/** Returns the value of a setting that the command needs. Throws USAGE if it is absent or empty. */
export function required(config: Config, name: SettingName): string {
  const value = config[name];
  if (value !== undefined && value !== "") return value;
  throw new LockstepError("USAGE", `--${name} (or ${variableOf(name)}) is missing: ${SETTINGS[name].help}.`);
}

/** Returns seconds as milliseconds, up to what a timer can count. */
export function timerMs(seconds: string): number {
  return Math.min(Number(seconds) * 1000, 2 ** 31 - 1);
}

const NO_SETTINGS = new Set(["LOCKSTEP_PUSHER", "LOCKSTEP_REQUEST_ID", "LOCKSTEP_TRACEPARENT", "LOCKSTEP_AS_DEVICE"]);
// Kubernetes sets these variables in every pod if a service is named lockstep or lockstep-…
const OF_KUBERNETES = /^LOCKSTEP_(\w+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT(_\d+_(TCP|UDP)(_(PROTO|PORT|ADDR))?)?)$/;

/** Returns variables that begin with LOCKSTEP_ and are no settings. They are most likely misspelt. */
export function unknownVariables(env: Readonly<Record<string, string | undefined>>): string[] {
  const known = new Set((Object.keys(SETTINGS) as SettingName[]).map(variableOf));
  return Object.keys(env).filter(
    (name) => name.startsWith("LOCKSTEP_") && !known.has(name) && !NO_SETTINGS.has(name) && !OF_KUBERNETES.test(name),
  );
}

function camelCase(name: string): string {
  return name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
}

/** Returns the content of --database-url-file, with what the environment adds. Throws USAGE. */
export function readUrlFile(file: string, env: Readonly<Record<string, string | undefined>>): string {
  let url: string;
  try {
    url = readFileSync(file, "utf8").trim();
  } catch (cause) {
    throw new LockstepError(
      "USAGE",
      `The file ${file.slice(0, 1_000)} of --database-url-file cannot be read; correct it.`,
      { cause },
    );
  }
  return completeDatabaseUrl(url, env, `The content of the file ${file.slice(0, 1_000)} of --database-url-file`);
}
