// The names of the registry with their keys, as the copy of a sidecar has them.
import type { Access, Name, RegistryContent } from "../../store/registry/registry.ts";

/** A key of the registry. */
export type KnownKey = RegistryContent["keys"][number];

/** A name of the registry. */
export interface Known extends Access {
  /** This device was removed, so none of its keys counts. */
  readonly removed: boolean;
  /** The X.509 keys. */
  readonly keys: ReadonlyMap<string, "trusted" | "revoked">;
  /** The keys of ssh, and the host keys. */
  readonly ssh: readonly KnownKey[];
}

/** Returns the key of a name in maps. */
export function nameText({ role, name }: Name): string {
  return `${role} ${name}`;
}

/** Returns the names with what they may use and their keys. */
export function knownNames({ principals, keys }: RegistryContent): Map<string, Known> {
  const result = new Map<string, Known & { keys: Map<string, "trusted" | "revoked">; ssh: KnownKey[] }>(
    principals.map(({ role, name, repositories, readOnly, removed }) => [
      `${role} ${name}`,
      { repositories, readOnly, removed, keys: new Map(), ssh: [] },
    ]),
  );
  for (const key of keys) {
    const owner = result.get(nameText(key));
    if (key.kind === "x509") owner?.keys.set(key.fingerprint, key.state);
    else owner?.ssh.push(key);
  }
  return result;
}
