// Checks PostgreSQL: reachable, new enough, a primary, a schema of our level, and a clock close to ours.
import { required } from "../settings/read-config.ts";
import { type Inspection, inspectDatabase, knownSchemaLevel } from "../store/database/migrate.ts";
import { type DatabaseLogin, readLogin } from "../store/device/database-login.ts";
import type { Look, Verdict } from "./finding.ts";

const OLDEST = 14;
const SKEW_MS = 5_000;

export const lookAtDatabase: Look = async (config) =>
  judgeDatabase(await inspectDatabase(required(config, "database-url")), knownSchemaLevel());

export const lookAtClock: Look = async (config) =>
  judgeClock((await inspectDatabase(required(config, "database-url"))).aheadMs);

export const lookAtLogin: Look = async (config) =>
  judgeLogin(await readLogin(required(config, "database-url")), required(config, "device"));

/**
 * Returns the verdict on the login with which a device comes to the database. `found` undefined: there is no schema.
 */
export function judgeLogin(found: DatabaseLogin | undefined, device: string): Verdict {
  if (found === undefined) return "no schema yet";
  const { login, ownsSchema, devices } = found;
  if (found.device === device) return `${login}, which acts for this device only`;
  if (found.device !== null)
    return {
      missing: `The login ${login} acts for the device ${found.device}, not for ${device}; give the URL of ${device}.`,
    };
  if (!ownsSchema)
    return {
      missing: `The login ${login} acts for no device; use the owner of the schema, or \`lockstep device login ${device}\`.`,
    };
  const others = devices.filter((each) => each !== device);
  if (others.length === 0) return `${login}, which acts for all devices`;
  return {
    warning: `The login ${login} acts for all devices, while ${others.length} other ${others.length > 1 ? "devices have logins" : "device has a login"} of ${others.length > 1 ? "their" : "its"} own; make one for this device too, with \`lockstep device login ${device}\`.`,
  };
}

/**
 * Returns the verdict on a database: its version, whether it is a primary, its schema. `known`: the schema level of
 * this program.
 */
export function judgeDatabase({ version, standby, level, mayCreate, off }: Inspection, known: number): Verdict {
  if (Number.parseInt(version, 10) < OLDEST)
    return { missing: `PostgreSQL is ${version}, which is too old; install ${OLDEST} or newer.` };
  if (standby) return { missing: "This PostgreSQL is a standby; give the URL of the primary." };
  const found = `PostgreSQL ${version}, schema level ${level}`;
  if (level < known && !mayCreate)
    return {
      missing: `${found} of ${known}, and this user may not migrate it; grant it CREATE on the database, or run \`lockstep migrate\` as a user who may.`,
    };
  if (off.length > 0) {
    return {
      warning: `${found}, but ${off.join(" and ")} ${off.length > 1 ? "are" : "is"} off, so a crash may lose committed transactions; turn that on.`,
    };
  }
  if (level >= known) return found;
  return { warning: `${found} of ${known}; serve migrates it when it starts, or run \`lockstep migrate\` first.` };
}

/** Judges the difference of the clocks. `aheadMs` is positive if the database's clock is ahead of this machine's. */
export function judgeClock(aheadMs: number): Verdict {
  const seconds = Math.round(Math.abs(aheadMs) / 100) / 10;
  if (Math.abs(aheadMs) < SKEW_MS) return `as the database's, but for ${seconds} s`;
  const how = aheadMs > 0 ? "behind" : "ahead of";
  return {
    warning: `This machine's clock is ${seconds} s ${how} the database's, so certificates may seem expired and logs mislead; run an NTP client on both.`,
  };
}
