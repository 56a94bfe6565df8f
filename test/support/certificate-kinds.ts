// The kinds of credential that somebody may show to a device, with what each of them proves. The tests derive the
// answers from that and from the table of roles.
import type { Role } from "../../src/tls/identity.ts";
import {
  BOTH,
  certify,
  digitalSignature,
  dns,
  ED25519,
  email,
  keyCertSign,
  type Made,
  makeKeys,
  RSA_1024,
  SERVER,
  type Shown,
  shown,
  UNKNOWN_CRITICAL,
  uri,
  type Wanted,
} from "./certificate-maker.ts";

export const TRUST_DOMAIN = "test.lockstep.internal";
/** The repository that the device repo002 holds, and one that it does not hold. The device under test has both. */
export const HELD = "team/app";
export const OTHER = "other/app";

const DAY_MS = 86_400_000;

/** Whom a credential proves, as far as the rules of RPCs need to know. */
export interface Proven {
  readonly role: Role;
  /** Of a device: the repositories that it holds. */
  readonly holds?: readonly string[];
  /** Of a device: its sidecar runs, so others copy for it. */
  readonly lives?: boolean;
  /** Of a front end: the repositories that it may use. Default: all. */
  readonly uses?: readonly string[];
  readonly readsOnly?: boolean;
}

/**
 * - no handshake: TLS finds fault with it.
 * - nobody: its certificate names nobody, or a key that is not trusted.
 */
export type Proves = "no handshake" | "nobody" | Proven;

export interface Kind {
  readonly title: string;
  readonly shows: Shown | undefined;
  readonly proves: Proves;
  /** The one common name of its certificate, by which the gate knows a user. undefined: none that fits. */
  readonly user?: string;
}

export const OPERATOR: Proven = { role: "operator" };
export const FRONT_END: Proven = { role: "frontend" };
export const device = (...holds: string[]): Proven => ({ role: "device", holds });

export const spiffe = (role: string, name: string) => uri(`spiffe://${TRUST_DOMAIN}/${role}/${name}`);

/** What an operator says about names and keys. */
export interface Trust {
  trust(role: Role, name: string, made: Made, access?: { repositories?: string[]; readOnly?: boolean }): Promise<void>;
  /** Revokes one key of the name. undefined: all of them. */
  revoke(role: Role, name: string, made?: Made): Promise<void>;
  removeDevice(name: string): Promise<void>;
}

export interface Authorities {
  readonly root: Made;
  /** An authority beside the root. */
  readonly second: Made;
  /** The device under test takes it for an authority, but it has ended. */
  readonly ended: Made;
  /** Signed by `root`; nobody has it but who shows it. */
  readonly middle: Made;
  readonly endedMiddle: Made;
  /** The device under test does not know it. */
  readonly foreign: Made;
}

export async function makeAuthorities(): Promise<Authorities> {
  const root = await certify({ cn: "root", ca: true });
  const [second, ended, middle, endedMiddle, foreign] = await Promise.all([
    certify({ cn: "second root", ca: true }),
    certify({ cn: "ended root", ca: true, begins: -2 * DAY_MS, ends: -DAY_MS }),
    certify({ cn: "middle", ca: true, by: root }),
    certify({ cn: "ended middle", ca: true, by: root, begins: -2 * DAY_MS, ends: -DAY_MS }),
    certify({ cn: "root", ca: true }),
  ]);
  return { root, second, ended, middle, endedMiddle, foreign };
}

/** Makes a certificate of a role and name, by default signed by the root. */
export type Certify = (role: string, name: string, wanted?: Wanted) => Promise<Made>;

export function certifier({ root }: Authorities): Certify {
  return async (role, name, wanted = {}) =>
    await certify({
      cn: name,
      names: [spiffe(role, name)],
      by: root,
      ...(role === "device" && { uses: BOTH }),
      ...wanted,
    });
}

/** Certificates with which TLS finds fault. They all say that they are of the operator olga, whose `key` is trusted. */
async function faulty(authorities: Authorities, of: Certify, olga: Made): Promise<Kind[]> {
  const { root, ended, middle, endedMiddle, foreign } = authorities;
  const { keys } = olga;
  const shows = async (wanted: Wanted, ...others: Made[]) => shown(await of("operator", "olga", wanted), ...others);
  const self = await certify({ cn: "olga", names: [spiffe("operator", "olga")], keys });
  const weak = await makeKeys(RSA_1024);
  const all: [string, Shown | undefined][] = [
    ["no certificate", undefined],
    ["a certificate that signs itself", shown(self)],
    ["a certificate of a foreign authority", await shows({ keys, by: foreign })],
    ["a certificate of a foreign authority, with that authority", await shows({ keys, by: foreign }, foreign)],
    ["a certificate that has ended", await shows({ keys, begins: -2 * DAY_MS, ends: -60_000 })],
    ["a certificate that is not valid yet", await shows({ keys, begins: DAY_MS, ends: 2 * DAY_MS })],
    ["a certificate of an authority that has ended", await shows({ keys, by: ended })],
    ["a certificate of an intermediate authority, without that", await shows({ keys, by: middle })],
    ["a certificate of an intermediate authority that has ended", await shows({ keys, by: endedMiddle }, endedMiddle)],
    ["a certificate signed by a client", await shows({ keys, by: olga }, olga)],
    ["a certificate for servers only", await shows({ keys, uses: SERVER })],
    ["a certificate with an unknown critical extension", await shows({ keys, extensions: [UNKNOWN_CRITICAL] })],
    ["the certificate of the authority itself", shown(root)],
    ["an RSA key of 1024 bits", await shows({ keys: weak })],
    ["a signature with SHA-1", await shows({ keys, hash: "SHA-1" })],
  ];
  return all.map(([title, each]) => ({ title, shows: each, proves: "no handshake" }));
}

/** Certificates of the authority that name nobody. */
async function nameless(of: Certify, { keys }: Made): Promise<Kind[]> {
  const olga = `spiffe://${TRUST_DOMAIN}/operator/olga`;
  const all: [string, Wanted][] = [
    ["two names", { names: [spiffe("operator", "olga"), spiffe("frontend", "web")] }],
    ["the same name twice", { names: [spiffe("operator", "olga"), spiffe("operator", "olga")] }],
    ["a name, and an address of another make", { names: [spiffe("operator", "olga"), uri("https://olga.example/")] }],
    ["a name in upper case", { names: [spiffe("operator", "OLGA")] }],
    ["a role in upper case", { names: [spiffe("Operator", "olga")] }],
    ["a scheme in upper case", { names: [uri(olga.replace("spiffe", "SPIFFE"))] }],
    ["a NUL behind its name", { names: [spiffe("operator", "olga\0.example")] }],
    ["a line break behind its name", { names: [spiffe("operator", "olga\n")] }],
    ["a wildcard for a name", { names: [spiffe("operator", "*")] }],
    ["U+202E in its name", { names: [spiffe("operator", "\u202eaglo")] }],
    ["a Cyrillic letter in its name", { names: [spiffe("operator", "\u043elga")] }],
    ["an escaped letter in its name", { names: [spiffe("operator", "%6flga")] }],
    ["a slash behind its name", { names: [spiffe("operator", "olga/")] }],
    ["a query behind its name", { names: [spiffe("operator", "olga?role=device")] }],
    ["no name", { names: [spiffe("operator", "")] }],
    ["a name of 64 characters", { names: [spiffe("operator", "o".repeat(64))] }],
    ["an unknown role", { names: [spiffe("admin", "olga")] }],
    ["another trust domain", { names: [uri(`spiffe://evil.${TRUST_DOMAIN}/operator/olga`)] }],
    ["a common name only", { names: [] }],
    ["its address in the common name", { cn: olga, names: [] }],
    ["its address as the name of a host", { names: [dns(olga)] }],
    ["its address within the name of a host", { names: [dns(`a, URI:${olga}, b`)] }],
    ["its address within the address of a mailbox", { names: [email(`a, URI:${olga}, b@c`)] }],
    ["its address within another address", { names: [uri(`https://a/, URI:${olga}, b`)] }],
    ["the right to sign others", { ca: true, usage: digitalSignature | keyCertSign }],
  ];
  return await Promise.all(
    all.map(async ([title, wanted]): Promise<Kind> => {
      const made = await of("operator", "olga", { keys, ...wanted });
      return {
        title: `a certificate with ${title}`,
        shows: shown(made),
        proves: "nobody",
        user: String(wanted.cn ?? "olga"),
      };
    }),
  );
}

/** Certificates that name somebody, whose keys the registry has or has not. */
async function named(authorities: Authorities, of: Certify, olga: Made, registry: Trust): Promise<Kind[]> {
  const { middle, foreign } = authorities;
  const kinds: Kind[] = [];
  const add = (title: string, user: string, proves: Proves, shows: Shown) =>
    void kinds.push({ title, user, proves, shows });

  add("an operator", "olga", OPERATOR, shown(olga));
  add(
    "a renewed certificate with the same key",
    "olga",
    OPERATOR,
    shown(await of("operator", "olga", { keys: olga.keys })),
  );
  add("a certificate with others behind it", "olga", OPERATOR, shown(olga, foreign, middle));
  add(
    "a certificate of an intermediate authority, with that",
    "olga",
    OPERATOR,
    shown(await of("operator", "olga", { keys: olga.keys, by: middle }), middle),
  );
  add(
    "a certificate that does not say its use",
    "olga",
    OPERATOR,
    shown(await of("operator", "olga", { keys: olga.keys, uses: [] })),
  );
  const edward = await of("operator", "edward", { keys: await makeKeys(ED25519) });
  await registry.trust("operator", "edward", edward);
  add("an Ed25519 key", "edward", OPERATOR, shown(edward));
  add("another key of a name that is known", "olga", "nobody", shown(await of("operator", "olga")));
  add("a key of another role with that name", "olga", "nobody", shown(await of("device", "olga", { keys: olga.keys })));
  add("a name that nobody has enrolled", "new", "nobody", shown(await of("operator", "new")));

  const [old, next, ended] = [await of("operator", "rosa"), await of("operator", "rosa"), await of("operator", "rita")];
  for (const each of [old, next]) await registry.trust("operator", "rosa", each);
  add("the old one of two keys, in its time", "rosa", OPERATOR, shown(old));
  add("the new one of two keys", "rosa", OPERATOR, shown(next));
  await registry.trust("operator", "rita", ended);
  await registry.trust("operator", "rita", await of("operator", "rita"));
  await registry.revoke("operator", "rita", ended);
  add("the old one of two keys, after its time", "rita", "nobody", shown(ended));

  const stolen = await of("frontend", "stolen");
  await registry.trust("frontend", "stolen", stolen);
  await registry.revoke("frontend", "stolen");
  add("a revoked key", "stolen", "nobody", shown(stolen));
  add("a new key of a name that is revoked", "stolen", "nobody", shown(await of("frontend", "stolen")));

  const fronts: [string, string, { repositories?: string[]; readOnly?: boolean }][] = [
    ["a front end", "web", {}],
    ["a front end of some repositories", "team", { repositories: ["team/*"] }],
    ["a front end that may only read", "reader", { readOnly: true }],
    ["a front end that may only read some repositories", "narrow", { repositories: [HELD], readOnly: true }],
  ];
  for (const [title, name, access] of fronts) {
    const made = await of("frontend", name);
    await registry.trust("frontend", name, made, access);
    const { repositories: uses, readOnly: readsOnly = false } = access;
    add(title, name, { ...FRONT_END, readsOnly, ...(uses && { uses }) }, shown(made));
  }
  return [...kinds, ...(await devices(of, registry))];
}

async function devices(of: Certify, registry: Trust): Promise<Kind[]> {
  const [self, two, three, removed] = await Promise.all(
    ["repo001", "repo002", "repo003", "repo004"].map((name) => of("device", name)),
  );
  const known = { repo001: self, repo002: two, repo003: three, repo004: removed } as Record<string, Made>;
  for (const [name, made] of Object.entries(known)) await registry.trust("device", name, made);
  await registry.removeDevice("repo004");
  const theirs = await of("device", "repo002", { keys: known.repo003!.keys });
  const kind = (title: string, name: string, proves: Proves, made: Made): Kind => ({
    title,
    user: name,
    proves,
    shows: shown(made),
  });
  return [
    kind("the device itself", "repo001", { ...device(HELD, OTHER), lives: true }, known.repo001!),
    kind("a device that holds a repository", "repo002", device(HELD), known.repo002!),
    kind("a device without a replica", "repo003", device(), known.repo003!),
    kind("the key of another device with the name of this one", "repo002", "nobody", theirs),
    kind("a device that was removed", "repo004", "nobody", known.repo004!),
    kind("a device that waits for a yes", "repo009", "nobody", await of("device", "repo009")),
  ];
}

/** Makes one credential of each kind, and tells the registry whom it trusts. */
export async function makeKinds(authorities: Authorities, registry: Trust): Promise<Kind[]> {
  const of = certifier(authorities);
  const olga = await of("operator", "olga");
  await registry.trust("operator", "olga", olga);
  return [
    ...(await named(authorities, of, olga, registry)),
    ...(await nameless(of, olga)),
    ...(await faulty(authorities, of, olga)),
  ];
}
