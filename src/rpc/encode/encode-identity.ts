// Converts the registry to messages of the protocol.
import { toTimestamp } from "../../protocol/times.ts";
import type { Credential, Identities, WaitingKey } from "../../store/registry/list-identities.ts";
import type { Principal } from "../../store/registry/registry.ts";

function encodeIdentity({ role, name, repositories, readOnly }: Principal, keys: readonly Credential[]) {
  return {
    ...{ role, name, readOnly },
    repositories: [...repositories],
    keys: keys.filter((key) => key.role === role && key.name === name).map(encodeKey),
  };
}

/** Encodes all names of the answer, with their keys. */
export function encodeIdentities({ principals, credentials }: Identities) {
  return principals.map((principal) => encodeIdentity(principal, credentials));
}

/** Returns a key as the protocol has it. */
export function encodeKey({ role, name, kind, fingerprint, state, enrolledBy, ...key }: Credential) {
  return {
    ...{ role, name, kind, fingerprint, enrolledBy },
    trusted: state === "trusted",
    enrolledAt: toTimestamp(key.enrolledAt),
    seenAt: toTimestamp(key.seenAt),
    revokedBy: key.revokedBy ?? "",
    revokedAt: toTimestamp(key.revokedAt),
    reason: key.reason ?? "",
  };
}

/** Returns a key that nobody has trusted yet as the protocol has it. */
export function encodeWaiting({ role, name, kind, fingerprint, seenBy, source, since, seenAt }: WaitingKey) {
  return {
    ...{ role, name, kind, fingerprint, seenBy, source },
    since: toTimestamp(since),
    seenAt: toTimestamp(seenAt),
  };
}
