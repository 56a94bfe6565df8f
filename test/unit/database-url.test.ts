import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { completeDatabaseUrl } from "../../src/io/database-url/database-environment.ts";
import { hasPassword, parseDatabaseUrl } from "../../src/io/database-url/database-url.ts";

const dir = mkdtempSync(join(tmpdir(), "lockstep-url-"));
const ca = join(dir, "ca.pem");
beforeAll(() => writeFileSync(ca, "a certificate"));
afterAll(() => rmSync(dir, { recursive: true }));

/** What a URL comes to, without what follows from sslmode. */
function parsed(text: string) {
  const ways = parseDatabaseUrl(text).filter(({ onlyAfter }) => onlyAfter === undefined);
  return ways.map(({ ssl: _, ...server }) => server);
}

describe("a database URL that libpq takes", () => {
  it.each([
    ["postgres://ada:secret@db:5433/app", { host: "db", port: 5433, user: "ada", password: "secret", database: "app" }],
    ["postgresql://db/app", { host: "db", database: "app" }],
    ["postgres://", {}],
    ["postgres:///app", { database: "app" }],
    ["postgres://ada@/app", { user: "ada", database: "app" }],
    ["postgres://ada@db", { host: "db", user: "ada" }],
    ["postgres://ada:se%23c%2Fr%40%3Ae%25t@db/app", { password: "se#c/r@:e%t" }],
    ["postgres://ada:se#cret@db/app", { host: "db", password: "se#cret", database: "app" }],
    ["postgres://ada:se?cret@db/app", { host: "db", password: "se?cret" }],
    ["postgres://ada:se@cret@db/app", { host: "db", password: "se@cret" }],
    ["postgres://ada:se:cret[1]@db/app", { host: "db", password: "se:cret[1]" }],
    ["postgres://ada:se cret+1@db/app", { host: "db", password: "se cret+1" }],
    ["postgres://ada:gr%C3%BC%C3%9Fe@db/app", { password: "grüße" }],
    ["postgres://%C3%A4@db/%C3%B6", { user: "ä", database: "ö" }],
    ["postgres://ada:@db/app", { host: "db", user: "ada" }],
    ["postgres://[::1]:5433/app", { host: "::1", port: 5433, database: "app" }],
    ["postgres://%2Frun%2Fpostgresql:5433/app", { host: "/run/postgresql", port: 5433, database: "app" }],
    ["postgres:///app?host=/run/postgresql&port=5433", { host: "/run/postgresql", port: 5433, database: "app" }],
    ["postgres://db/app?user=ada&password=a%26b%3D", { host: "db", user: "ada", password: "a&b=", database: "app" }],
    ["postgres://db/app?dbname=other", { database: "other" }],
    [
      "postgres://db/app?options=-c%20geqo%3Doff&connect_timeout=7",
      { options: "-c geqo=off", connectionTimeoutMillis: 7000 },
    ],
    ["postgres://db/app?application_name=x&keepalives=1&tcp_user_timeout=5&load_balance_hosts=random", { host: "db" }],
    ["postgres://db/app?target_session_attrs=read-write&gssencmode=prefer&channel_binding=prefer", { host: "db" }],
    ["postgres://db/app?client_encoding=UTF8&target_session_attrs=primary", { host: "db" }],
    ["postgres://db/app?hostaddr=10.0.0.1", { host: "10.0.0.1" }],
    ["host=db port=5433 dbname=app user=ada", { host: "db", port: 5433, user: "ada", database: "app" }],
    [String.raw`host = 'db' password='se\'cr \\et' user=a\ b`, { host: "db", password: "se'cr \\et", user: "a b" }],
    ["dbname=app host='' password=''", { database: "app" }],
    ["  host=/run/postgresql\n dbname=app ", { host: "/run/postgresql", database: "app" }],
  ])("is taken: %s", (url, server) => {
    expect(parsed(url)).toMatchObject([server]);
  });

  it.each([
    [
      "postgres://a,b:5433,[::1]/app",
      [
        ["a", undefined],
        ["b", 5433],
        ["::1", undefined],
      ],
    ],
    [
      "postgres://a:1,b:2/app?target_session_attrs=read-write",
      [
        ["a", 1],
        ["b", 2],
      ],
    ],
    [
      "postgres:///app?host=a,b&port=5433",
      [
        ["a", 5433],
        ["b", 5433],
      ],
    ],
    [
      "host=a,b port=1,2 dbname=app",
      [
        ["a", 1],
        ["b", 2],
      ],
    ],
    [
      "hostaddr=10.0.0.1,10.0.0.2 dbname=app",
      [
        ["10.0.0.1", undefined],
        ["10.0.0.2", undefined],
      ],
    ],
  ])("may name several hosts, in their order: %s", (url, servers) => {
    expect(parsed(url).map(({ host, port }) => [host, port])).toEqual(servers);
  });

  it.each([
    ["disable", [false]],
    ["allow", [false, { rejectUnauthorized: false }]],
    ["prefer", [{ rejectUnauthorized: false }, false]],
    ["require", [{ rejectUnauthorized: false }]],
    ["no-verify", [{ rejectUnauthorized: false }]],
    ["verify-full", [{ rejectUnauthorized: true }]],
  ])("means what libpq means by sslmode=%s", (mode, ways) => {
    const found = parseDatabaseUrl(`postgres://db/app?sslmode=${mode}`);
    expect(found.map(({ ssl }) => ssl && { rejectUnauthorized: ssl.rejectUnauthorized })).toEqual(ways);
  });

  it("verifies with an authority of its own, and the name only where that is asked for", () => {
    const tls = (mode: string) => parseDatabaseUrl(`postgres://db/app?sslrootcert=${ca}&sslmode=${mode}`)[0]?.ssl;
    for (const mode of ["require", "verify-ca"])
      expect(tls(mode)).toMatchObject({
        ca: "a certificate",
        rejectUnauthorized: true,
        checkServerIdentity: expect.any(Function),
      });
    expect(tls("verify-full")).toEqual({ ca: "a certificate", rejectUnauthorized: true });
    expect(parseDatabaseUrl("postgres://db/app?sslrootcert=system")[0]?.ssl).toEqual({ rejectUnauthorized: true });
    expect(parseDatabaseUrl("postgres://db/app?ssl=true")[0]?.ssl).toMatchObject({ rejectUnauthorized: false });
  });

  it("connects to an address, and expects the name in the certificate", () => {
    const [server] = parseDatabaseUrl("postgres://db/app?hostaddr=10.0.0.1&sslmode=verify-full");
    expect(server).toMatchObject({ host: "10.0.0.1", ssl: { servername: "db" } });
  });

  it("uses no TLS on a unix socket", () => {
    expect(parseDatabaseUrl("host=/run/postgresql sslmode=prefer").map(({ ssl }) => ssl)).toEqual([false]);
  });
});

describe("a database URL that is not taken", () => {
  it.each([
    ["", "must begin with postgres://"],
    ["mysql://db/app", "must begin with postgres://"],
    ["db/app", "must begin with postgres://"],
    ["host=db dbname='app", "must begin with postgres://"],
    ["postgres://ada:se%cret@db/app", "write `%` itself as %25"],
    ["postgres://ada:%FFsecret@db/app", "write `%` itself as %25"],
    ["postgres://ada:sec/ret@db/app", "write `/` as %2F"],
    ["postgres://db:port/app", "no number from 1 to 65535"],
    ["postgres://db:99999/app", "no number from 1 to 65535"],
    ["postgres://a,b/app?port=1,2,3", "another number of ports"],
    ["postgres://a,b/app?hostaddr=1.1.1.1,2.2.2.2,3.3.3.3", "another number of `hostaddr`"],
    ["postgres://db/app?service=secret", "`service`"],
    ["postgres://db/app?passfile=secret", "`passfile`"],
    ["postgres://db/app?replication=secret", "`replication`"],
    ["postgres://db/app?requirepeer=secret", "`requirepeer`"],
    ["postgres://db/app?sslcrldir=secret", "`sslcrldir`"],
    ["postgres://db/app?no_such=secret", "`no_such`"],
    ["postgres://db/app?flag", "without `=`"],
    ["postgres://db/app?target_session_attrs=standby", "say read-write"],
    ["postgres://db/app?sslmode=maybe", "none of disable, allow"],
    ["postgres://db/app?sslmode=verify-ca", "without `sslrootcert`"],
    ["postgres://db/app?sslrootcert=system&sslmode=require", "needs `sslmode=verify-full`"],
    ["postgres://db/app?sslrootcert=/none/secret", "`sslrootcert` that cannot be read (ENOENT)"],
    ["postgres://db/app?channel_binding=require", "use verify-full"],
    ["postgres://db/app?gssencmode=require", "use TLS"],
    ["postgres://db/app?client_encoding=latin1", "always UTF8"],
    ["postgres://db/app?connect_timeout=soon", "no number of seconds"],
    ["postgres://db%00/app", "NUL character"],
    ["host=@abstract", "abstract socket"],
  ])("is named in a sentence that repeats no secret: %s", (url, sentence) => {
    const parse = () => parseDatabaseUrl(url, "The value of --database-url");
    expect(parse).toThrow(expect.objectContaining({ code: "USAGE", message: expect.stringContaining(sentence) }));
    expect(parse).toThrow(/^The value of --database-url .*[^.]\.$/);
    expect(parse).not.toThrow(/secret|ret@|se%cret|sec\/|%FF/);
  });
});

describe("the environment's additions to a database URL", () => {
  const complete = (text: string, env: Record<string, string>) => completeDatabaseUrl(text, env, "The value of X");

  it("is empty if the URL has the parameter, or if no variable of libpq is set", () => {
    const whole = "host=db port=1 dbname=app user=ada sslmode=disable";
    const env = { PGHOST: "other", PGPORT: "2", PGDATABASE: "o", PGUSER: "bob", PGSSLMODE: "verify-full" };
    for (const [text, given] of [
      [whole, env],
      ["postgres://db/app", { PGHOST: "", HOME: "/", PGFOO: "x" }],
    ] as const)
      expect(complete(text, given)).toBe(text);
  });

  it.each([
    [
      "postgres://",
      { PGHOST: "a,b", PGPORT: "1,2" },
      [
        { host: "a", port: 1 },
        { host: "b", port: 2 },
      ],
    ],
    [
      "postgres://ada:p%27%5C%20w@db",
      { PGDATABASE: "it's" },
      [{ host: "db", user: "ada", password: "p'\\ w", database: "it's" }],
    ],
    ["postgres:///app", { PGHOST: "/run/pg", PGUSER: "ada" }, [{ host: "/run/pg", user: "ada", database: "app" }]],
    [
      "host=db",
      { PGOPTIONS: "-c geqo=off", PGCONNECT_TIMEOUT: "3" },
      [{ host: "db", options: "-c geqo=off", connectionTimeoutMillis: 3_000 }],
    ],
  ])("is what it would add for libpq: %s with %j", (text, env, servers) => {
    expect(parsed(complete(text, env))).toEqual(servers);
  });

  it("never makes TLS weaker than it says", () => {
    const [way, ...others] = parseDatabaseUrl(
      complete("postgres://db/app", { PGSSLMODE: "verify-full", PGSSLROOTCERT: ca }),
    );
    expect(way?.ssl).toEqual({ ca: "a certificate", rejectUnauthorized: true });
    expect(others).toEqual([]);
  });

  it.each([
    [{ PGSERVICE: "prod" }, "with PGSERVICE of the environment, has the parameter `service`"],
    [{ PGREQUIREAUTH: "scram-sha-256" }, "with PGREQUIREAUTH of the environment, has the parameter `require_auth`"],
    [{ PGCHANNELBINDING: "require" }, "with PGCHANNELBINDING of the environment, has a `channel_binding`"],
    [{ PGTARGETSESSIONATTRS: "standby" }, "say read-write"],
    [{ PGSSLMODE: "maybe" }, "with PGSSLMODE of the environment, has an `sslmode` that is none of"],
  ])("is named where it cannot be taken: %j", (env, sentence) => {
    expect(() => complete("postgres://ada:secret@db/app", env)).toThrow(
      expect.objectContaining({ code: "USAGE", message: expect.stringContaining(sentence) }),
    );
  });
});

describe("hasPassword", () => {
  it.each([
    "postgres://ada:secret@db/app",
    "postgres://:x@db",
    "postgres://ada:a#b@db/app",
    "postgres://db/app?password=x",
    "host=db password=x",
    "host=db password = 'x'",
    "password=x",
    "postgres://db/app?sslpassword=x",
    "postgres://db/app?pass%77ord=x",
    "postgres://ada:wh?y@db/app",
    "postgres://a?b:secret@db/app",
  ])("sees one in %s", (url) => expect(hasPassword(url)).toBe(true));

  it.each(["postgres://ada@db/app", "postgres://db:5432/a:b@c", "host=db user=ada", "postgres://[::1]:5432/app"])(
    "sees none in %s",
    (url) => expect(hasPassword(url)).toBe(false),
  );
});
