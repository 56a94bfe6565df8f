// Completes a database URL from the environment, as libpq does.
import { parseDatabaseUrl } from "./database-url.ts";
import { readAny } from "./database-words.ts";

// What libpq takes from the environment. The driver itself takes the password from PGPASSWORD, PGPASSFILE or ~/.pgpass.
const VARIABLES: Readonly<Record<string, string>> = {
  PGHOST: "host",
  PGHOSTADDR: "hostaddr",
  PGPORT: "port",
  PGDATABASE: "dbname",
  PGUSER: "user",
  PGOPTIONS: "options",
  PGSSLMODE: "sslmode",
  PGSSLCERT: "sslcert",
  PGSSLKEY: "sslkey",
  PGSSLROOTCERT: "sslrootcert",
  PGSSLCRL: "sslcrl",
  PGSSLCRLDIR: "sslcrldir",
  PGSSLNEGOTIATION: "sslnegotiation",
  PGSSLMINPROTOCOLVERSION: "ssl_min_protocol_version",
  PGSSLMAXPROTOCOLVERSION: "ssl_max_protocol_version",
  PGCONNECT_TIMEOUT: "connect_timeout",
  PGTARGETSESSIONATTRS: "target_session_attrs",
  PGGSSENCMODE: "gssencmode",
  PGCHANNELBINDING: "channel_binding",
  PGREQUIREAUTH: "require_auth",
  PGREQUIREPEER: "requirepeer",
  PGSERVICE: "service",
};

/** Returns the URL with what the environment adds to it, as libpq would. Throws USAGE as `parseDatabaseUrl`. */
export function completeDatabaseUrl(
  text: string,
  env: Readonly<Record<string, string | undefined>>,
  what: string,
): string {
  parseDatabaseUrl(text, what);
  const words = readAny(text, () => {
    throw new Error("it has been parsed");
  });
  const added = Object.entries(VARIABLES).filter(([variable, key]) => env[variable] && !words.get(key));
  if (added.length === 0) return text;
  for (const [variable, key] of added) words.set(key, env[variable] as string);
  const quoted = [...words].map(([key, value]) => `${key}='${value.replace(/[\\']/g, "\\$&")}'`).join(" ");
  parseDatabaseUrl(quoted, `${what}, with ${added.map(([variable]) => variable).join(" and ")} of the environment,`);
  return quoted;
}
