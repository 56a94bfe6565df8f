// A database that cannot be used because of what is in its URL: the sentence says what to correct, and not to try again.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, inject, it, vi } from "vitest";
import { Database, queryOnce, queryRepeatable } from "../../src/store/database/database.ts";
import { inspectDatabase, migrate } from "../../src/store/database/migrate.ts";
import { administer, databaseUrl } from "../support/administer.ts";
import { migratedDatabase } from "../support/database.ts";
import { replicationMissing } from "../support/postgres-servers.ts";
import { startReplication } from "../support/replication.ts";
import { SOON } from "../support/soon.ts";

function withUser(user: string, password: string): string {
  const url = new URL(inject("postgresUrl"));
  url.username = user;
  url.password = password;
  return url.href;
}

const WAYS: readonly [string, (url: string) => Promise<unknown>][] = [
  ["migrate", migrate],
  ["doctor", inspectDatabase],
  [
    "a statement",
    async (url) => {
      await using db = new Database({ url, applicationName: "wrong url" });
      return await queryOnce(db.work, "select 1");
    },
  ],
];

it.each(WAYS)("tells %s about a user or a password that is wrong", async (_, use) => {
  // A server that trusts everybody asks for no password, and refuses a user that it does not know.
  const refused = use(withUser("no_such_user", "guessed"));
  await expect(refused).rejects.toMatchObject({
    code: "DATABASE_UNAVAILABLE",
    message: expect.stringMatching(
      /^The database refuses the connection \(.*no_such_user.*\); (correct the user or the password|let this user in) .*in the database URL \(LOCKSTEP_DATABASE_URL, --database-url or the file of --database-url-file\)\.$/,
    ),
  });
  await expect(refused).rejects.not.toMatchObject({ message: expect.stringMatching(/guessed|try again/) });
});

it.each(WAYS)("tells %s about a database that does not exist", async (_, use) => {
  await expect(use(databaseUrl(inject("postgresUrl"), "no_such_database"))).rejects.toMatchObject({
    code: "DATABASE_UNAVAILABLE",
    message: expect.stringMatching(/no_such_database.*; create that database, or correct its name in the database URL/),
  });
});

/** The parts of the URL of the test's server. */
function parts(): { host: string; port: string; user: string; password: string } {
  const { hostname, port, username, password } = new URL(inject("postgresUrl"));
  return { host: hostname, port, user: username, password: decodeURIComponent(password) };
}

it.each(WAYS)("lets %s use every form of a URL that leads to the server", async (_, use) => {
  await using database = await migratedDatabase();
  const name = new URL(database.url).pathname.slice(1);
  const { host, port, user, password } = parts();
  const auth = `${user}:${encodeURIComponent(password)}`;
  for (const url of [
    database.url,
    `host=${host} port=${port} dbname=${name} user=${user} password='${password}'`,
    `postgresql:///${name}?host=${host}&port=${port}&user=${user}&password=${encodeURIComponent(password)}`,
    // TLS is offered, and done without where the server has none.
    `postgres://${auth}@${host}:${port}/${name}?sslmode=prefer`,
    `postgres://${auth}@${host}:${port}/${name}?sslmode=allow&options=-c%20geqo%3Doff`,
    // Nobody listens at the first of them.
    `postgres://${auth}@127.0.0.1:1,${host}:${port}/${name}?target_session_attrs=read-write`,
    `host=127.0.0.1,${host} port=1,${port} dbname=${name} user=${user} password='${password}'`,
  ])
    await use(url);
});

it.each(WAYS)("tells %s when none of several servers will do, and why", async (_, use) => {
  await expect(use("postgres://ada@127.0.0.1:1,localhost:1/app")).rejects.toMatchObject({
    code: "DATABASE_UNAVAILABLE",
    message: expect.stringMatching(/\(127\.0\.0\.1: .*ECONNREFUSED.*; localhost: .*ECONNREFUSED.*\); try again/),
  });
});

it.each(WAYS)("tells %s that the server has no TLS, where TLS is asked for", async (_, use) => {
  const url = `${inject("postgresUrl")}?sslmode=require`;
  await expect(use(url)).rejects.toMatchObject({
    code: "DATABASE_UNAVAILABLE",
    message: expect.stringMatching(
      /does not support SSL.*; turn on ssl in the server, or correct sslmode in the database URL/,
    ),
  });
});

it.each(["p#ss", "p%25ss?", "p@ss:w/rd", "p' \\ss", "gr\u00fc\u00dfe"])("takes the password %j", async (password) => {
  const role = `url_${Math.random().toString(36).slice(2)}`;
  await administer(inject("postgresUrl"), (client) =>
    client.query(`create role ${role} login password ${client.escapeLiteral(password)}`),
  );
  try {
    const { host, port } = parts();
    const quoted = password.replaceAll("\\", "\\\\").replaceAll("'", "\\'");
    for (const url of [
      `postgres://${role}:${encodeURIComponent(password)}@${host}:${port}/postgres`,
      `host=${host} port=${port} dbname=postgres user=${role} password='${quoted}'`,
    ]) {
      await using db = new Database({ url, applicationName: "password" });
      expect(await queryOnce(db.work, "select current_user::text as role")).toEqual([{ role }]);
    }
  } finally {
    await administer(inject("postgresUrl"), (client) => client.query(`drop role ${role}`));
  }
});

it("takes the password from PGPASSWORD, or from the file of PGPASSFILE, where the URL has none", async () => {
  const role = `file_${Math.random().toString(36).slice(2)}`;
  await administer(inject("postgresUrl"), (client) => client.query(`create role ${role} login password 'in: file'`));
  const dir = await mkdtemp(join(tmpdir(), "lockstep-pgpass-"));
  try {
    const { host, port } = parts();
    const file = join(dir, "pgpass");
    await writeFile(file, `${host}:${port}:*:${role}:in\\: file\n`, { mode: 0o600 });
    for (const [variable, value] of [
      ["PGPASSFILE", file],
      ["PGPASSWORD", "in: file"],
    ] as const) {
      vi.stubEnv(variable, value);
      await using db = new Database({ url: `postgres://${role}@${host}:${port}/postgres`, applicationName: "file" });
      expect(await queryOnce(db.work, "select current_user::text as role")).toEqual([{ role }]);
    }
  } finally {
    vi.unstubAllEnvs();
    await rm(dir, { recursive: true });
    await administer(inject("postgresUrl"), (client) => client.query(`drop role ${role}`));
  }
});

const missing = replicationMissing();
if (missing) console.log(`skipped, several servers in a URL: ${missing}`);

it.skipIf(missing !== undefined)(
  "finds the server that takes writes among several, and the next one after a fail-over",
  async () => {
    await using replication = await startReplication();
    const [primary, standby] = [new URL(replication.primary), new URL(replication.standby)];
    const url = `postgres://lockstep@${standby.host},${primary.host}/postgres`;
    await using db = new Database({ url, applicationName: "several" });
    const port = async () => {
      const [row] = await queryRepeatable<{ port: number; standby: boolean }>(
        db.work,
        "select current_setting('port')::int as port, pg_is_in_recovery() as standby",
      );
      return row;
    };
    expect(await port()).toEqual({ port: Number(primary.port), standby: false });
    expect((await inspectDatabase(url)).standby).toBe(false);
    await replication.standbyHasAll();
    await replication.failOver();
    await vi.waitFor(async () => expect(await port()).toEqual({ port: Number(standby.port), standby: false }), SOON);
  },
);

it("takes a new user and password from its source at the next new connection, and no half text", async () => {
  await using database = await migratedDatabase();
  const role = `rotating_${new URL(database.url).pathname.slice(1)}`.slice(0, 60);
  const as = (password: string) => {
    const url = new URL(database.url);
    [url.username, url.password] = [role, password];
    return url.href;
  };
  let now = as("one");
  try {
    await administer(database.url, (client) => client.query(`create role ${role} login superuser password 'one'`));
    await using db = new Database({ url: () => now, applicationName: "rotation" });
    const whoAmI = async () =>
      (await queryRepeatable<{ name: string }>(db.work, "select current_user as name"))[0]?.name;
    expect(await whoAmI()).toBe(role);
    now = "postgres://half";
    await expect(whoAmI()).resolves.toBe(role);
    now = "no URL at all";
    db.replaceConnections();
    await expect(whoAmI()).resolves.toBe(role);
    now = database.url;
    db.replaceConnections();
    expect(await whoAmI()).toBe(new URL(database.url).username);
  } finally {
    await administer(database.url, (client) => client.query(`drop role if exists ${role}`));
  }
});
