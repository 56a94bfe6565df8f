// Reads the database URL as libpq does: `postgres://user:password@host:port,host:port/database?parameter=value`, or
// `key=value` words. Unsupported parts are named in a sentence. A text that may be part of a password is never
// repeated.

import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import type { ConnectionOptions } from "node:tls";
import { LockstepError } from "../../errors.ts";
import { readAny, type Words, type Wrong } from "./database-words.ts";

/** One way to connect to one server. The fields are those of pg. */
export interface DatabaseServer {
  readonly host?: string;
  readonly port?: number;
  readonly user?: string;
  readonly password?: string;
  readonly database?: string;
  readonly options?: string;
  readonly ssl: ConnectionOptions | false;
  readonly sslnegotiation?: "direct" | "postgres";
  readonly connectionTimeoutMillis?: number;
  /** This way is tried only when the way before it failed for this reason. */
  readonly onlyAfter?: "no TLS" | "refused without TLS";
}

/** Parameters that only tune libpq, or that change nothing here. */
const WITHOUT_EFFECT = new Set(
  (
    "application_name fallback_application_name keepalives keepalives_idle keepalives_interval keepalives_count tcp_user_timeout " +
    "load_balance_hosts sslcompression sslsni sslcertmode krbsrvname gsslib gssdelegation min_protocol_version max_protocol_version " +
    "uselibpqcompat"
  ).split(" "),
);
const TAKEN = new Set(
  (
    "host hostaddr port user password dbname options sslmode ssl sslcert sslkey sslpassword sslrootcert sslcrl sslnegotiation " +
    "ssl_min_protocol_version ssl_max_protocol_version connect_timeout target_session_attrs gssencmode channel_binding client_encoding"
  ).split(" "),
);
const MODES = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full", "no-verify"];

/**
 * Returns the servers of a database URL, in the order in which to try them. Throws USAGE. `what` begins the sentence of
 * that error, such as "The value of --database-url".
 */
export function parseDatabaseUrl(text: string, what = "The database URL"): DatabaseServer[] {
  const wrong = (why: string): never => {
    throw new LockstepError("USAGE", `${what} ${why}.`);
  };
  const words = readAny(text, wrong);
  check(words, wrong);
  const { ssl, mode } = tlsOf(words, wrong);
  const list = (key: string) => (words.get(key) ?? "").split(",");
  const hosts = list("host");
  const addresses = list("hostaddr");
  const ports = list("port");
  const count = Math.max(hosts.length, addresses.length);
  if (addresses.length > 1 && hosts.length > 1 && hosts.length !== addresses.length)
    wrong("names another number of `hostaddr` than of hosts");
  if (ports.length > 1 && ports.length !== count) wrong("names another number of ports than of hosts");
  const timeout = Number(words.get("connect_timeout") || 0);
  return Array.from({ length: count }, (_, index) => {
    const name = hosts[index] ?? hosts[0] ?? "";
    const host = addresses[index] || name;
    const port = Number(ports[index] ?? ports[0] ?? "") || undefined;
    const server = definedOf({
      host: host || undefined,
      port,
      user: words.get("user") || undefined,
      password: words.get("password") || undefined,
      database: words.get("dbname") || undefined,
      options: words.get("options") || undefined,
      sslnegotiation: (words.get("sslnegotiation") || undefined) as DatabaseServer["sslnegotiation"],
      connectionTimeoutMillis: timeout > 0 ? timeout * 1000 : undefined,
    });
    // The connection goes to the address; the certificate must have the name.
    const tls = isIP(host) && name !== "" && !isIP(name) ? { ...ssl, servername: name } : ssl;
    return waysOf(server, host.startsWith("/") ? "disable" : mode, tls);
  }).flat();
}

/** Returns true when the URL carries a password, which a command line must not have. */
export function hasPassword(text: string): boolean {
  if (/(^|[?&\s])(ssl)?password\s*=/.test(text)) return true;
  // As in readUri: a `?` before the last `@` is part of a name or a password.
  if (/^postgres(?:ql)?:\/\/[^/]*:[^/]*@/.test(text)) return true;
  const { searchParams } = new URL(`x:?${text.split("?").slice(1).join("?")}`);
  return searchParams.has("password") || searchParams.has("sslpassword");
}

function waysOf(server: Omit<DatabaseServer, "ssl">, mode: string, ssl: ConnectionOptions): DatabaseServer[] {
  const plain = { ...server, ssl: false as const };
  if (mode === "disable") return [plain];
  if (mode === "allow") return [plain, { ...server, ssl, onlyAfter: "refused without TLS" }];
  if (mode === "prefer")
    return [
      { ...server, ssl },
      { ...plain, onlyAfter: "no TLS" },
    ];
  return [{ ...server, ssl }];
}

function check(words: Words, wrong: Wrong): void {
  for (const key of words.keys()) {
    // A key that looks unlike a parameter may have a password in it, as in `user:secret@sslmode=require`.
    const shown = /^[a-z_]{1,40}$/i.test(key) ? `the parameter \`${key}\`` : "a parameter";
    if (!TAKEN.has(key) && !WITHOUT_EFFECT.has(key)) wrong(`has ${shown}, which Lockstep does not take; leave it out`);
  }
  const oneOf = (key: string, values: readonly string[], remedy: string) => {
    const value = words.get(key);
    if (value && !values.includes(value.toLowerCase()))
      wrong(`has a \`${key}\` that Lockstep does not take; ${remedy}`);
  };
  oneOf("target_session_attrs", ["any", "read-write", "primary"], "say read-write, since Lockstep needs a primary");
  oneOf("gssencmode", ["disable", "prefer"], "use TLS");
  oneOf("channel_binding", ["disable", "prefer"], "use verify-full");
  oneOf("client_encoding", ["auto", "utf8", "utf-8"], "leave it out: it is always UTF8");
  oneOf("sslnegotiation", ["postgres", "direct"], "say postgres or direct");
  for (const port of (words.get("port") ?? "").split(","))
    if (port !== "" && !(/^\d{1,5}$/.test(port) && Number(port) > 0 && Number(port) < 65_536))
      wrong("has a port that is no number from 1 to 65535; in a password write `/` as %2F, `@` as %40 and `:` as %3A");
  if (!/^\d*$/.test(words.get("connect_timeout") ?? "")) wrong("has a `connect_timeout` that is no number of seconds");
  for (const host of (words.get("host") ?? "").split(","))
    if (host.startsWith("@")) wrong("names an abstract socket, which Lockstep cannot use; give a directory or a host");
    else if (/\s/.test(host)) wrong("has a host with a space in it");
  for (const [key, value] of words) if (value.includes("\0")) wrong(`has a NUL character in \`${key}\``);
}

function tlsOf(words: Words, wrong: Wrong): { ssl: ConnectionOptions; mode: string } {
  const file = (key: string): string | undefined => {
    const path = words.get(key);
    if (!path) return undefined;
    try {
      return readFileSync(path, "utf8");
    } catch (error) {
      return wrong(`names a file as \`${key}\` that cannot be read (${(error as NodeJS.ErrnoException).code})`);
    }
  };
  const system = words.get("sslrootcert") === "system";
  const asJdbc = { true: "require", "1": "require", "no-verify": "no-verify" }[words.get("ssl") ?? ""];
  // Without `sslmode` the server decides, as it does for `psql`.
  const mode = (words.get("sslmode") || asJdbc || (system ? "verify-full" : "allow")).toLowerCase();
  if (!MODES.includes(mode)) wrong(`has an \`sslmode\` that is none of ${MODES.join(", ")}`);
  if (system && mode !== "verify-full") wrong("has `sslrootcert=system`, which needs `sslmode=verify-full`");
  const ca = system ? undefined : file("sslrootcert");
  if (mode === "verify-ca" && ca === undefined)
    wrong(
      "has `sslmode=verify-ca` without `sslrootcert`; name the file with the authority's certificate, or say verify-full",
    );
  const verifies = mode === "verify-full" || mode === "verify-ca" || (mode === "require" && ca !== undefined);
  const ssl: ConnectionOptions = definedOf({
    ca,
    cert: file("sslcert"),
    key: file("sslkey"),
    crl: file("sslcrl"),
    passphrase: words.get("sslpassword"),
    minVersion: words.get("ssl_min_protocol_version") as ConnectionOptions["minVersion"],
    maxVersion: words.get("ssl_max_protocol_version") as ConnectionOptions["maxVersion"],
    rejectUnauthorized: verifies,
    // The certificate may have any name, as long as the authority made it.
    checkServerIdentity: mode === "verify-full" ? undefined : () => undefined,
  });
  return { ssl, mode };
}

function definedOf<T extends object>(given: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as never;
}
