// A cluster of processes in which each device has a login of its own to PostgreSQL, as docs/security.md says.
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { administer } from "../support/administer.ts";
import { type Cluster, startCluster } from "../support/cluster.ts";
import { type Device, ended } from "../support/cluster-device.ts";
import { ClusterLogins } from "../support/cluster-logins.ts";
import { type Pusher, pusher } from "../support/pusher.ts";
import { SOON } from "../support/soon.ts";

let cluster: Cluster;
let logins: ClusterLogins;
let one: Device;
let two: Device;
let three: Device;
let ada: Pusher;
let owner: string;
/** The environment with which a device serves. */
const environmentOf = ({ name }: Device) => ({ LOCKSTEP_DATABASE_URL: logins.urlOf(name) });

beforeAll(async () => {
  cluster = await startCluster();
  [one, two, three] = cluster.devices as [Device, Device, Device];
  ada = await pusher(cluster.git, "ada");
  logins = await ClusterLogins.make(cluster);
  owner = logins.owner;
  for (const device of cluster.devices) {
    await device.kill();
    await device.start(environmentOf(device));
  }
});

afterAll(async () => {
  await cluster?.[Symbol.asyncDispose]();
  await logins?.[Symbol.asyncDispose]();
});

it("a push to one device is read on the others, and all sessions have the logins of their devices", async () => {
  const repository = await cluster.createRepository(2);
  let tip: string | undefined;
  for (const device of cluster.devices) {
    tip = await ada.commit(tip);
    await ada.land(device.url(repository), `${tip}:refs/heads/main`);
    for (const each of cluster.devices)
      expect(await cluster.git.git(["ls-remote", each.url(repository), "refs/heads/main"])).toContain(tip);
  }
  const { rows } = await administer(cluster.databaseUrl, (client) =>
    client.query<{ name: string }>(
      `select distinct usename::text as name from pg_stat_activity
       where datname = current_database() and backend_type = 'client backend' and pid <> pg_backend_pid() order by 1`,
    ),
  );
  expect(rows.map(({ name }) => name)).toEqual(cluster.devices.map(({ name }) => logins.loginOf(name)).sort());
});

it("an operator changes the registry and other devices with the owner's URL, and not through a sidecar", async () => {
  const trust = ["operator", "trust", "eve", "--key-fingerprint", `sha256:${"ab".repeat(32)}`];
  const refused = await one.lockstep(...trust);
  expect(refused.document.error).toMatchObject({
    code: "PREREQUISITE_MISSING",
    message: expect.stringMatching(/permission denied for function trust_key.*--owner-url-file/),
  });
  const trusted = await one.lockstep(...trust, "--owner-url-file", owner);
  expect(trusted).toMatchObject({ code: 0, document: { now_trusted: [`sha256:${"ab".repeat(32)}`] } });
  expect((await one.lockstep("device", "set", two.name, "--no-writes")).document.error).toMatchObject({
    message: expect.stringMatching(new RegExp(`acts for the device ${one.name} only, not for ${two.name}`)),
  });
  expect(await two.lockstep("device", "set", two.name, "--no-writes")).toMatchObject({ code: 0 });
  expect(await one.lockstep("device", "set", two.name, "--writes", "--owner-url-file", owner)).toMatchObject({
    code: 0,
  });
  expect(await one.lockstep("retention", "set", "writes", "40d", "--owner-url-file", owner)).toMatchObject({ code: 0 });
  const { document } = await one.lockstep("audit", "--verify");
  expect(document.problem ?? null).toBe(null);
});

it("the doctor says whose login it is", async () => {
  const env = { ...one.demo.env, ...environmentOf(one) };
  const said = async (device: string) => {
    const { stdout } = await ended(one.command(["doctor", "--json", "--device", device], env));
    return JSON.parse(stdout).checks.find(({ check }: { check: string }) => check === "login");
  };
  // The doctor waits for the database for some seconds only.
  await vi.waitFor(async () => {
    expect(await said(one.name)).toMatchObject({ state: "ok", said: expect.stringContaining("for this device only") });
    expect(await said(two.name)).toMatchObject({
      state: "missing",
      said: expect.stringContaining(`the device ${one.name}, not for ${two.name}`),
    });
  }, SOON);
});

it("a device whose login was ended lands nothing more, and is not ready", async () => {
  const repository = await cluster.createRepository();
  expect(await one.lockstep("device", "login", three.name, "--end", "--owner-url-file", owner)).toMatchObject({
    code: 0,
    document: { ended: [logins.loginOf(three.name)] },
  });
  const tip = await ada.commit();
  expect((await ada.push(three.url(repository), `${tip}:refs/heads/main`)).code).not.toBe(0);
  await vi.waitFor(async () => expect(await three.isReady()).toBe(false), SOON);
  await ada.land(two.url(repository), `${tip}:refs/heads/main`);
});
