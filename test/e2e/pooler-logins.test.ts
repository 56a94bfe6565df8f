// Devices with logins of their own to PostgreSQL reach it through PgBouncer in transaction mode.
import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, inject, it, vi } from "vitest";
import { administer } from "../support/administer.ts";
import { type Cluster, startCluster } from "../support/cluster.ts";
import { type Device, ended } from "../support/cluster-device.ts";
import { ClusterLogins } from "../support/cluster-logins.ts";
import { documented } from "../support/documented.ts";
import { type Pooler, startPoolerOfLogins } from "../support/pooler.ts";
import { findProgram } from "../support/programs.ts";
import { type Pusher, pusher } from "../support/pusher.ts";
import { SOON } from "../support/soon.ts";

/** Roles belong to the whole server, which other tests use too. */
const ASKER = { user: `pgbouncer_${randomBytes(4).toString("hex")}`, password: randomBytes(16).toString("hex") };
const REFUSED = "42501";

const program = findProgram("pgbouncer", "pgbouncer");
if ("missing" in program) console.warn(`The tests of logins through PgBouncer are skipped: ${program.missing}.`);

describe.skipIf("missing" in program)("devices with logins of their own, through PgBouncer in transaction mode", () => {
  let cluster: Cluster;
  let logins: ClusterLogins;
  let pooler: Pooler;
  let one: Device;
  let two: Device;
  let ada: Pusher;

  /** Returns the URL with the login of a device, through the pooler. */
  const pooled = ({ name }: Device) => {
    const { username, password } = new URL(logins.urlOf(name));
    return Object.assign(new URL(pooler.url), { username, password }).href;
  };
  const environmentOf = (device: Device) => ({
    LOCKSTEP_DATABASE_URL: pooled(device),
    LOCKSTEP_NOTIFY_DATABASE_URL: logins.urlOf(device.name),
  });

  beforeAll(async () => {
    cluster = await startCluster({ shortWaits: true });
    [one, two] = cluster.devices as [Device, Device];
    ada = await pusher(cluster.git, "ada");
    logins = await ClusterLogins.make(cluster);
    const places = {
      PASSWORD: ASKER.password,
      "to pgbouncer": `to ${ASKER.user}`,
      "role pgbouncer": `role ${ASKER.user}`,
    };
    const sql = await documented("sql", places, "security.md");
    await administer(cluster.databaseUrl, (client) => client.query(sql));
    pooler = await startPoolerOfLogins((program as { path: string }).path, cluster.databaseUrl, ASKER);
    for (const device of [one, two]) {
      await device.kill();
      await device.start(environmentOf(device));
    }
  });

  afterAll(async () => {
    await pooler?.[Symbol.asyncDispose]();
    await cluster?.[Symbol.asyncDispose]();
    await logins?.[Symbol.asyncDispose]();
    await administer(inject("postgresUrl"), (client) => client.query(`drop role if exists ${ASKER.user}`));
  });

  /** Runs a statement through the pooler with the login of a device. Returns the number of rows, or the SQLSTATE. */
  const attempt = (device: Device, text: string) =>
    administer(pooled(device), (client) =>
      client.query(text).then(
        ({ rowCount }) => rowCount ?? 0,
        (error: { code?: string; message: string }) => error.code ?? error.message,
      ),
    );

  it("a push to each device is read on the other one, and PostgreSQL sees only the logins of these devices", async () => {
    const repository = await cluster.createRepository(2);
    let tip: string | undefined;
    for (const device of [one, two]) {
      tip = await ada.commit(tip);
      await ada.land(device.url(repository), `${tip}:refs/heads/main`);
      for (const each of [one, two])
        expect(await cluster.git.git(["ls-remote", each.url(repository), "refs/heads/main"])).toContain(tip);
    }
    const { rows } = await administer(cluster.databaseUrl, (client) =>
      client.query<{ device: string; login: string }>(
        `select distinct split_part(application_name, ' ', 2) as device, usename::text as login from pg_stat_activity
         where datname = current_database() and split_part(application_name, ' ', 2) = any($1) and usename <> $2
         order by 1`,
        [[one.name, two.name], ASKER.user],
      ),
    );
    expect(rows).toEqual([one, two].map(({ name }) => ({ device: name, login: logins.loginOf(name) })));
    for (const device of [one, two]) {
      const row = await administer(pooled(device), (client) =>
        client.query("select session_user::text as login, lockstep.own_device() as device"),
      );
      expect(row.rows).toEqual([{ login: logins.loginOf(device.name), device: device.name }]);
    }
  });

  it("a stolen login acts for its own device only", async () => {
    const other = `name = '${two.name}'`;
    expect(await attempt(one, `update lockstep.device set fence = fence + 1 where ${other}`)).toBe(REFUSED);
    expect(await attempt(one, `update lockstep.device set expires_at = now() where ${other}`)).toBe(0);
    expect(await attempt(one, `update lockstep.device set expires_at = expires_at where name = '${one.name}'`)).toBe(1);
    expect(
      await attempt(one, "select lockstep.trust_key('operator','eve',null,null,null,'eve',false,null,false)"),
    ).toBe(REFUSED);
    expect(await attempt(one, `set session authorization "${logins.loginOf(two.name)}"`)).toBe(REFUSED);
    expect(await attempt(one, `set role "${logins.loginOf(two.name)}"`)).toBe(REFUSED);
  });

  it("a session that a thief leaves behind at the pooler is not given to another device", async () => {
    const mark = "select set_config('lockstep.mark', 'left behind', false)";
    expect(await attempt(one, mark)).toBe(1);
    const seen = async (device: Device) =>
      await administer(pooled(device), async (client) => {
        const { rows } = await client.query(
          "select session_user::text as login, current_setting('lockstep.mark', true) as mark",
        );
        return rows[0];
      });
    // The thief's session goes on to serve the thief's login, so the mark is there to be seen.
    await vi.waitFor(async () => expect((await seen(one)).mark).toBe("left behind"), SOON);
    expect((await seen(two)).mark ?? "").toBe("");
  });

  it("another password, another name and a superuser do not come through", async () => {
    const wrong = Object.assign(new URL(pooled(one)), { password: new URL(pooled(two)).password });
    await expect(administer(wrong.href, async () => {})).rejects.toThrow();
    const owner = new URL(cluster.databaseUrl);
    const asOwner = Object.assign(new URL(pooled(one)), { username: owner.username, password: owner.password || "x" });
    await expect(administer(asOwner.href, async () => {})).rejects.toThrow();
  });

  it("the doctor says through the pooler whose login it is", async () => {
    // The doctor waits for the database for some seconds only.
    await vi.waitFor(async () => {
      const { stdout } = await ended(
        one.command(["doctor", "--json", "--device", one.name], { ...one.demo.env, ...environmentOf(one) }),
      );
      const said = JSON.parse(stdout).checks.find(({ check }: { check: string }) => check === "login");
      expect(said).toMatchObject({ state: "ok", said: expect.stringContaining("for this device only") });
    }, SOON);
  });

  it("a login that was ended lands nothing more through the pooler, and the other device goes on", async () => {
    const repository = await cluster.createRepository();
    const end = ["device", "login", two.name, "--end", "--owner-url-file", logins.owner];
    expect(await one.lockstep(...end)).toMatchObject({ code: 0, document: { ended: [logins.loginOf(two.name)] } });
    const tip = await ada.commit();
    expect((await ada.push(two.url(repository), `${tip}:refs/heads/main`)).code).not.toBe(0);
    await vi.waitFor(async () => expect(await two.isReady()).toBe(false), SOON);
    await expect(attempt(two, "select 1")).rejects.toThrow();
    await ada.land(one.url(repository), `${tip}:refs/heads/main`);
  });
});
