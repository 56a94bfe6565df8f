// Reads the identity in a certificate's URI SAN: spiffe://<trust domain>/<role>/<name>.

const ROLES = ["device", "frontend", "operator"] as const;
export type Role = (typeof ROLES)[number];

/** The owner of a certificate. */
export interface Identity {
  readonly trustDomain: string;
  readonly role: Role;
  /** A DNS label, as for devices (domain.ts). */
  readonly name: string;
}

// SPIFFE's form: no upper case, no port, no user, no percent-encoding.
const TRUST_DOMAIN = "[a-z0-9._-]{1,255}";
const NAME = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?";
const IDENTITY = new RegExp(`^spiffe://(?<trustDomain>${TRUST_DOMAIN})/(?<role>${ROLES.join("|")})/(?<name>${NAME})$`);

/** Reads `spiffe://<trust domain>/<role>/<name>`; undefined for anything else, even for a trailing slash or a query. */
export function parseIdentity(uri: string): Identity | undefined {
  const groups = IDENTITY.exec(uri)?.groups;
  return groups === undefined ? undefined : ({ ...groups } as unknown as Identity);
}

/** Writes the URI that `parseIdentity` reads. Checks nothing. */
export function identityUri({ trustDomain, role, name }: Identity): string {
  return `spiffe://${trustDomain}/${role}/${name}`;
}

/**
 * Returns the identity in a certificate whose chain TLS has checked. It is the certificate's only URI, in the trust
 * domain; otherwise undefined. `names` is Node's `subjectaltname`, which quotes a name that has a comma: such a name
 * could pose as the URI.
 */
export function certificateIdentity(names: string | undefined, trustDomain: string): Identity | undefined {
  if (names?.includes('"')) return undefined;
  const uris = (names ?? "").split(", ").filter((name) => name.startsWith("URI:"));
  const identity = uris.length === 1 ? parseIdentity((uris[0] as string).slice("URI:".length)) : undefined;
  return identity?.trustDomain === trustDomain ? identity : undefined;
}
