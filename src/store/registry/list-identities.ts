// Lists the names of the registry with their keys, and the keys that nobody has trusted, for people.
import { type Database, queryRepeatable } from "../database/database.ts";
import { dated, epochMs } from "../database/instant.ts";
import type { KeyState, Name, Principal, PublicKey } from "./registry.ts";

export interface Credential extends Name, PublicKey {
  readonly state: KeyState;
  readonly enrolledBy: string;
  readonly enrolledAt: Date;
  readonly revokedBy: string | null;
  readonly revokedAt: Date | null;
  readonly reason: string | null;
  readonly seenAt: Date | null;
}

/** A key that was shown and is not trusted. */
export interface WaitingKey extends Name, PublicKey {
  /** The device that refused it, or that waits at its start. */
  readonly seenBy: string;
  readonly source: string;
  readonly since: Date;
  readonly seenAt: Date;
}

const CREDENTIAL = `role, name, kind, fingerprint, public_key as "publicKey", state, enrolled_by as "enrolledBy",
  ${epochMs("enrolled_at")} as "enrolledAt", revoked_by as "revokedBy", ${epochMs("revoked_at")} as "revokedAt", reason,
  ${epochMs("seen_at")} as "seenAt"`;
const WAITING = `role, name, kind, fingerprint, public_key as "publicKey", seen_by as "seenBy", source,
  ${epochMs("since")} as since, ${epochMs("seen_at")} as "seenAt"`;

function credentialOf(row: Readonly<Record<string, unknown>>): Credential {
  return dated<Credential>(row, "enrolledAt", "revokedAt", "seenAt");
}

function waitingKeyOf(row: Readonly<Record<string, unknown>>): WaitingKey {
  return dated<WaitingKey>(row, "since", "seenAt");
}

export interface Identities {
  readonly principals: readonly Principal[];
  readonly credentials: readonly Credential[];
  readonly waiting: readonly WaitingKey[];
}

/** Returns names with their keys, and the keys that wait. `which`: only of that role, or of that name. */
export async function listIdentities(db: Database, which: Partial<Name>): Promise<Identities> {
  const { role = "", name = "" } = which;
  const filter = "($1 = '' or role = $1) and ($2 = '' or name = $2)";
  const [principals, credentials, waiting] = await Promise.all([
    queryRepeatable<Omit<Principal, "repositories"> & { repositories: string[] | null; [column: string]: unknown }>(
      db.work,
      `select role, name, repositories, read_only as "readOnly" from lockstep.principal where ${filter} order by role, name`,
      [role, name],
    ),
    queryRepeatable(
      db.work,
      `select ${CREDENTIAL} from lockstep.credential where ${filter} order by role, name, state desc, enrolled_at, fingerprint`,
      [role, name],
    ),
    queryRepeatable(db.work, `select ${WAITING} from lockstep.waiting_key where ${filter} order by role, name, since`, [
      role,
      name,
    ]),
  ]);
  return {
    principals: principals.map((row) => ({ ...row, repositories: row.repositories ?? [] })),
    credentials: credentials.map(credentialOf),
    waiting: waiting.map(waitingKeyOf),
  };
}

/** How long a revoked key that is still shown counts as one. */
const SHOWN_LATELY = "1 hour";

/** Returns the keys that were shown and are not trusted: those that wait, and revoked ones that were shown lately. */
export async function listRefusedKeys(db: Database): Promise<Omit<Identities, "principals">> {
  const [waiting, credentials] = await Promise.all([
    queryRepeatable(db.work, `select ${WAITING} from lockstep.waiting_key order by role, name, since`),
    queryRepeatable(
      db.work,
      `select ${CREDENTIAL} from lockstep.credential
       where state = 'revoked' and seen_at > greatest(revoked_at, clock_timestamp() - interval '${SHOWN_LATELY}')
       order by role, name, fingerprint`,
    ),
  ]);
  return { waiting: waiting.map(waitingKeyOf), credentials: credentials.map(credentialOf) };
}
