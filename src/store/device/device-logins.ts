// Logins to PostgreSQL that act for one device only (migrations/functions/act_as.sql). The owner of the schema makes
// them.
import { createHash, createHmac, pbkdf2Sync, randomBytes } from "node:crypto";
import { type Database, queryOnceRow, queryRepeatableRow } from "../database/database.ts";

export interface DeviceLogin {
  readonly login: string;
  readonly device: string;
}

/**
 * "needs_role": this user may not make roles, or no password was given. "taken": the role is there for something else.
 */
export type LoginOutcome = "made" | "needs_role" | "taken";

/**
 * Makes the login, or gives it another password. `password` undefined: somebody else has made the role. May be
 * repeated.
 */
export async function makeDeviceLogin(
  db: Database,
  { login, device }: DeviceLogin,
  { password, author }: { password: string | undefined; author: string },
): Promise<LoginOutcome> {
  const { outcome } = await queryOnceRow<{ outcome: LoginOutcome }>(
    db.work,
    "select lockstep.make_device_login($1, $2, $3, $4) as outcome",
    [device, login, password === undefined ? null : verifierOf(password), author],
  );
  return outcome;
}

/** Ends all logins of a device, and returns them. */
export async function endDeviceLogin(db: Database, device: string, author: string): Promise<string[]> {
  const { ended } = await queryRepeatableRow<{ ended: string[] }>(
    db.work,
    "select lockstep.end_device_login($1, $2) as ended",
    [device, author],
  );
  return ended;
}

/** Returns the role that all logins of devices of this database are members of. */
export async function deviceGroup(db: Database): Promise<string> {
  const { name } = await queryRepeatableRow<{ name: string }>(db.work, "select lockstep.device_group() as name");
  return name;
}

const ITERATIONS = 4096;

/**
 * Returns what PostgreSQL keeps of a password (RFC 5803). So the password itself reaches neither the server nor its
 * log.
 */
function verifierOf(password: string): string {
  const salt = randomBytes(16);
  const salted = pbkdf2Sync(password, salt, ITERATIONS, 32, "sha256");
  const keyOf = (what: string) => createHmac("sha256", salted).update(what).digest();
  const stored = createHash("sha256").update(keyOf("Client Key")).digest("base64");
  return `SCRAM-SHA-256$${ITERATIONS}:${salt.toString("base64")}$${stored}:${keyOf("Server Key").toString("base64")}`;
}
