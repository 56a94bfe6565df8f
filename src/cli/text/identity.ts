// Names and their keys as the command line prints them.
import type { Identity__Output as Identity } from "../../generated/lockstep/v1/Identity.ts";
import type { Key__Output as Key } from "../../generated/lockstep/v1/Key.ts";
import type { WaitingKey__Output as WaitingKey } from "../../generated/lockstep/v1/WaitingKey.ts";
import { ago } from "../terminal/ago.ts";
import { table } from "../terminal/styled.ts";
import { instant, moment } from "./times.ts";

/** Returns a name without keys. */
export function emptyIdentity(role: string, name: string): Identity {
  return { role, name, keys: [], repositories: [], readOnly: false };
}

/** Returns a name with its keys as --json prints it. */
export function documentOf(identity: Identity) {
  const { role, name, keys, repositories, readOnly } = identity;
  const limits =
    role === "frontend" ? { repositories: repositories.length > 0 ? repositories : "all", read_only: readOnly } : {};
  return { role, name, ...limits, keys: keys.map(documentOfKey) };
}

/** Returns a key as --json prints it. */
export function documentOfKey({
  kind,
  fingerprint,
  trusted,
  enrolledBy,
  enrolledAt,
  seenAt,
  revokedBy,
  revokedAt,
  reason,
}: Key) {
  return {
    ...{ kind, fingerprint },
    state: trusted ? "trusted" : "revoked",
    since: instant((trusted ? enrolledAt : revokedAt) ?? enrolledAt),
    by: trusted ? enrolledBy : revokedBy,
    reason: trusted ? null : reason,
    last_seen: seenAt && instant(seenAt),
  };
}

/** Returns a key that nobody has trusted yet as --json prints it. */
export function documentOfWaiting({ role, name, kind, fingerprint, seenBy, source, since, seenAt }: WaitingKey) {
  return {
    ...{ role, name, kind, fingerprint },
    seen_by: seenBy,
    source,
    since: instant(since),
    last_seen: instant(seenAt),
  };
}

/** Returns the keys of a name as text. */
export function describeIdentity(identity: Identity | null | undefined): string {
  if (!identity) return "";
  const { role, name, keys } = identity;
  const rows = keys.map((key) => {
    const { kind, fingerprint, state, since, by, reason, last_seen } = documentOfKey(key);
    const what = `${state} ${ago(new Date(since))} by ${by}${reason ? ` (${reason})` : ""}`;
    return [kind, fingerprint, what, last_seen ? ago(new Date(last_seen)) : "never"];
  });
  const access = role === "frontend" ? ` It may use ${describeAccess(identity)}.` : "";
  return `${role} ${name}: ${describeTrust(identity)}.${access}\n${table(["kind", "key", "state", "last seen"], rows)}`;
}

/** Returns in a few words how many keys of a name are trusted. */
export function describeTrust({ keys }: Identity): string {
  const trusted = keys.filter((key) => key.trusted).length;
  const revoked = keys.length - trusted;
  if (trusted === 0) return "no trusted key, it is refused";
  return `${trusted === 1 ? "one trusted key" : `${trusted} trusted keys`}${revoked > 0 ? `, ${revoked} revoked` : ""}`;
}

/** Returns in a few words what a front end may use. */
export function describeAccess({ role, repositories, readOnly }: Identity): string {
  if (role !== "frontend") return "everything";
  return `${repositories.length > 0 ? repositories.join(", ") : "all repositories"}${readOnly ? ", read-only" : ""}`;
}

/** Returns revoked keys that somebody still shows as text; nothing if nobody does. */
export function describeRevoked(keys: readonly Key[]): string {
  if (keys.length === 0) return "";
  const rows = keys.map(({ role, name, fingerprint, revokedAt, seenAt }) => [
    `${role} ${name}`,
    fingerprint,
    moment(revokedAt),
    moment(seenAt),
  ]);
  return `These keys were revoked, and somebody still tries to connect with them.\n${table(["name", "key", "revoked", "last tried"], rows)}`;
}

/** Returns the keys that wait as text; nothing if none does. */
export function describeWaiting(waiting: readonly WaitingKey[]): string {
  if (waiting.length === 0) return "";
  const rows = waiting.map(({ role, name, fingerprint, seenBy, source, since }) => [
    `${role} ${name}`,
    fingerprint,
    moment(since),
    source === "" ? `at its start` : `${seenBy}, from ${source}`,
  ]);
  return (
    "These keys are refused, because nobody has trusted them. Compare the fingerprint with the one on that machine; then `lockstep device trust NAME`\n" +
    `(or \`frontend\`, \`operator\`) lets it in.\n${table(["name", "key", "since", "seen by"], rows)}`
  );
}
