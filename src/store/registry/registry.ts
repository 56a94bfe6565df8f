// The registry of keys: which public keys prove which name, and what an operator does with them. The functions in
// migrations/ make the decisions. list-identities.ts shows names and keys to people.
import { type Database, queryOnceRow, queryRepeatable, queryRepeatableRow } from "../database/database.ts";
import { dated, epochMs } from "../database/instant.ts";

type Role = "device" | "frontend" | "operator";
export type KeyKind = "x509" | "ssh" | "ssh-host";
export type KeyState = "trusted" | "revoked";

/** A name of the registry. */
export interface Name {
  readonly role: Role;
  readonly name: string;
}

export interface PublicKey {
  readonly kind: KeyKind;
  readonly fingerprint: string;
  /** PEM, or a line as in id_ed25519.pub. null: only the fingerprint is known. */
  readonly publicKey: string | null;
}

/** What a front end may use. */
export interface Access {
  /** Names of repositories, in which * stands for any characters and ? for one. Empty: all. */
  readonly repositories: readonly string[];
  readonly readOnly: boolean;
}

export interface Principal extends Name, Access {
  /** An operator has removed this device from the cluster. */
  readonly removed: boolean;
}

/** The whole registry as of one moment. */
export interface RegistryContent {
  readonly principals: readonly Principal[];
  /** The public keys of those of ssh only. */
  readonly keys: readonly (Name & PublicKey & { readonly state: KeyState })[];
}

/** Returns what every sidecar keeps a copy of: one row a name, with its keys. */
export async function readRegistry(db: Database): Promise<RegistryContent> {
  const rows = await queryRepeatable<{
    role: Role;
    name: string;
    repositories: string[] | null;
    readOnly: boolean;
    removed: boolean;
    keys: (PublicKey & { state: KeyState })[];
  }>(
    db.work,
    `select p.role, p.name, p.repositories, p.read_only as "readOnly",
       p.role = 'device' and exists (
         select from lockstep.device d where d.name = p.name and d.removed_at is not null) as removed,
       (select coalesce(json_agg(json_build_object('kind', c.kind, 'fingerprint', c.fingerprint, 'state', c.state,
          'publicKey', case when c.kind <> 'x509' then c.public_key end)), '[]')
        from lockstep.credential c where c.role = p.role and c.name = p.name) as keys
     from lockstep.principal p`,
  );
  return {
    principals: rows.map(({ role, name, repositories, readOnly, removed }) => ({
      ...{ role, name, readOnly, removed },
      repositories: repositories ?? [],
    })),
    keys: rows.flatMap(({ role, name, keys }) => keys.map((key) => ({ role, name, ...key }))),
  };
}

export type TrustOutcome = "trusted" | "several" | "unknown" | "full" | "taken";

/**
 * Trusts a key of a name. `key` undefined: the one that waits, or those that were revoked last. `access`: also sets
 * what a front end may use. May be repeated.
 */
export async function trustKey(
  db: Database,
  { role, name }: Name,
  request: { key: PublicKey | undefined; access: Access | undefined; author: string },
): Promise<{ outcome: TrustOutcome; fingerprints: string[] }> {
  const { key, access, author } = request;
  return await queryRepeatableRow<{ outcome: TrustOutcome; fingerprints: string[] }>(
    db.work,
    "select outcome, fingerprints from lockstep.trust_key($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    [
      ...[role, name, key?.kind ?? null, key?.fingerprint ?? null, key?.publicKey ?? null, author],
      ...[access !== undefined, access?.repositories.length ? access.repositories : null, access?.readOnly ?? false],
    ],
  );
}

/** Revokes a key of a name, or all of them. May be repeated. `trusted`: how many trusted keys are left. */
export async function revokeKey(
  db: Database,
  { role, name }: Name,
  request: { fingerprint: string | undefined; author: string; reason: string },
): Promise<{ outcome: "revoked" | "missing"; fingerprints: string[]; trusted: number }> {
  return await queryRepeatableRow<{ outcome: "revoked" | "missing"; fingerprints: string[]; trusted: number }>(
    db.work,
    "select outcome, fingerprints, trusted from lockstep.revoke_key($1, $2, $3, $4, $5)",
    [role, name, request.fingerprint ?? null, request.author, request.reason],
  );
}

/** Keeps the hash of a new token, with which one key of that name may be enrolled within `minutes`. */
export async function insertToken(
  db: Database,
  { role, name }: Name,
  { hash, minutes, author }: { hash: Buffer; minutes: number; author: string },
): Promise<Date> {
  const row = await queryOnceRow(
    db.work,
    `with old as (delete from lockstep.enroll_token where ends_at <= clock_timestamp()),
     made as (
       insert into lockstep.enroll_token (token_hash, role, name, author, ends_at)
       values ($1, $2, $3, $4, clock_timestamp() + $5::int * interval '1 minute') returning ends_at),
     noted as (
       insert into lockstep.audit (author, action, device, detail)
       select $4, 'make token', case when $2 = 'device' then $3 end, jsonb_build_object('of', $2 || ' ' || $3) from made)
     select ${epochMs("ends_at")} as "endsAt" from made`,
    [hash, role, name, author, minutes],
  );
  return dated<{ endsAt: Date }>(row, "endsAt").endsAt;
}

/** A key that was shown, at the start of a device or by a caller. */
export interface ShownKey extends Name, PublicKey {
  /** The device that was shown the key. */
  readonly by: string;
  /** The sidecar of that device runs with --trust-ca. */
  readonly open: boolean;
  /** The device shows its own key. `root`: the id of its root. `candidate`: it uses another key now. */
  readonly self?: { readonly root: string | null; readonly tokenHash: Buffer | null; readonly candidate?: boolean };
  /** The address from which it came. */
  readonly source?: string;
}

export type Standing = "trusted" | "revoked" | "waiting";

/** Enrols a key if the rules allow it (enroll_key.sql), and returns how it stands. `how`: null if nothing changed. */
export async function enrollKey(db: Database, shown: ShownKey): Promise<{ outcome: Standing; how: string | null }> {
  const { role, name, kind, fingerprint, publicKey, by, open, self, source = "" } = shown;
  return await queryRepeatableRow<{ outcome: Standing; how: string | null }>(
    db.work,
    "select outcome, how from lockstep.enroll_key($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
    [
      ...[role, name, kind, fingerprint, publicKey, by, open],
      ...[self !== undefined, self?.candidate ?? false, self?.root ?? null, self?.tokenHash ?? null, source],
    ],
  );
}

/** Records that these keys were shown, at most once a minute for each. */
export async function recordSeen(db: Database, seen: readonly (Name & { fingerprint: string })[]): Promise<void> {
  await queryRepeatable(
    db.work,
    `update lockstep.credential c set seen_at = clock_timestamp()
     from (
       select c.role, c.name, c.kind, c.fingerprint from unnest($1::text[], $2::text[], $3::text[]) s (role, name, fingerprint)
       join lockstep.credential c using (role, name, fingerprint)
       where c.seen_at is null or c.seen_at < greatest(clock_timestamp() - interval '1 minute', c.revoked_at)
       order by 1, 2, 3, 4 for update of c) s
     where (c.role, c.name, c.kind, c.fingerprint) = (s.role, s.name, s.kind, s.fingerprint)`,
    [seen.map(({ role }) => role), seen.map(({ name }) => name), seen.map(({ fingerprint }) => fingerprint)],
  );
}
