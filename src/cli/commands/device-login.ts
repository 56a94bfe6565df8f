// `lockstep device login`: makes a login to PostgreSQL that acts for one device only, and ends it.
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { Command } from "commander";
import { LockstepError } from "../../errors.ts";
import type { Host } from "../../host.ts";
import { deviceName } from "../../names.ts";
import { readUrlFile, required } from "../../settings/read-config.ts";
import type { Database } from "../../store/database/database.ts";
import { authorOf, prepare, type Run, subcommand } from "../terminal/command.ts";

/** PostgreSQL cuts longer names off. */
const NAME_BYTES = 63;

interface Flags {
  readonly login?: string;
  readonly passwordFile?: string;
  readonly end?: boolean;
}

/** Makes the command `lockstep device login`. */
export function loginCommand(host: Host): Command {
  return subcommand(
    "login",
    "make a login to PostgreSQL that acts for one device only, or give it another password",
    "lockstep device login repo001 --owner-url-file owner.url --password-file repo001.password",
    "device",
  )
    .argument("<name>")
    .option(
      "--password-file <FILE>",
      "file with its password; without it, print the SQL for somebody who may make roles",
    )
    .option("--login <ROLE>", "the name of the login; default: lockstep_NAME")
    .option("--end", "end the logins of the device")
    .action(async (name: string, flags: Flags) => {
      const run = prepare(host, "device", flags as Record<string, unknown>);
      const device = deviceName(name);
      const url = readUrlFile(required(run.config, "owner-url-file"), host.env);
      const { Database } = await import("../../store/database/database.ts");
      await using db = new Database({ url, applicationName: "lockstep operator" });
      await (flags.end ? end(run, db, device) : make(run, db, device, flags));
    });
}

async function end(run: Run, db: Database, device: string): Promise<void> {
  const { endDeviceLogin } = await import("../../store/device/device-logins.ts");
  const ended = await endDeviceLogin(db, device, authorOf(run.host));
  const text =
    ended.length === 0 ? `Device ${device} has no login of its own.` : `${ended.join(", ")} can do nothing more.`;
  run.print({ device, ended }, text);
}

async function make(run: Run, db: Database, device: string, flags: Flags): Promise<void> {
  const { deviceGroup, makeDeviceLogin } = await import("../../store/device/device-logins.ts");
  const login = flags.login ?? `lockstep_${device}`;
  if (login === "" || Buffer.byteLength(login) > NAME_BYTES)
    throw new LockstepError(
      "USAGE",
      `The name of a login has 1 to ${NAME_BYTES} bytes; give a shorter one with --login.`,
    );
  const password = flags.passwordFile === undefined ? undefined : await readPassword(run.host, flags.passwordFile);
  const outcome = await makeDeviceLogin(db, { device, login }, { password, author: authorOf(run.host) });
  if (outcome === "taken")
    throw new LockstepError(
      "INVALID_REQUEST",
      `The login ${login} is there for something else, so nothing was changed; choose another name with --login.`,
    );
  if (outcome === "made")
    return run.print(
      { device, login, made: true },
      `The login ${login} acts for device ${device} only. Name it in the database URL of that device.`,
    );
  const sql = sqlFor(login, device, await deviceGroup(db));
  run.print({ device, login, made: false, sql }, sql);
}

/** Returns the SQL that makes the role of a login, for psql. */
function sqlFor(login: string, device: string, group: string): string {
  const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`;
  return [
    `-- Run this in psql as a user who may make roles. Then run \`lockstep device login ${device}\` again.`,
    `do $$ begin create role ${quoted(group)} nologin; exception when duplicate_object then null; end $$;`,
    `create role ${quoted(login)} login in role ${quoted(group)};`,
    `\\password ${quoted(login)}`,
  ].join("\n");
}

/** Reads a password. Throws USAGE. */
async function readPassword(host: Host, file: string): Promise<string> {
  const text = await readFile(resolve(host.cwd, file), "utf8").catch((cause: Error) => {
    throw new LockstepError(
      "USAGE",
      `The file of --password-file cannot be read (${cause.message}); correct its path.`,
      {
        cause,
      },
    );
  });
  const password = text.trim();
  // Other characters would have to be brought into one form first.
  if (/^[\x21-\x7e]{8,}$/.test(password)) return password;
  throw new LockstepError(
    "USAGE",
    "The password in the file of --password-file has at least 8 characters, all of them visible ASCII; make another one, as with `openssl rand -hex 16`.",
  );
}
