// Write sessions as a front end has them: a certificate of its role, the address of a device, and the scratch repository.
import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { connect, createServer, type Server, type Socket } from "node:net";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { Client } from "../../src/client/client.ts";
import { administer } from "../support/administer.ts";
import { expectAtRest } from "../support/at-rest.ts";
import { type Cluster, startCluster } from "../support/cluster.ts";
import { type Device, PATIENCE } from "../support/cluster-device.ts";
import { type Pusher, pusher } from "../support/pusher.ts";
import { soon } from "../support/soon.ts";

const SOON = soon(20);

let cluster: Cluster;
let one: Device;
let two: Device;
let ada: Pusher;
let frontEnd: Client;
beforeAll(async () => {
  cluster = await startCluster();
  [one, two] = cluster.devices as [Device, Device];
  ada = await pusher(cluster.git, "ada");
  frontEnd = await clientOf(cluster.demo.line.frontend, one.demo.grpc);
});
afterAll(async () => {
  frontEnd?.[Symbol.dispose]();
  await cluster?.[Symbol.asyncDispose]();
});

async function clientOf(files: { cert: string; key: string }, address: string): Promise<Client> {
  const { ca, trust_domain: trustDomain } = cluster.demo.line;
  const read = (file: string) => readFile(file, "utf8");
  const [authority, cert, key] = await Promise.all([read(ca), read(files.cert), read(files.key)]);
  return new Client({ address, ca: authority, cert, key, trustDomain, device: one.name });
}

/** A repository with one commit on main. */
async function withMain(): Promise<{ repository: string; first: string }> {
  const repository = await cluster.createRepository();
  const first = await ada.commit();
  await ada.land(one.url(repository), `${first}:refs/heads/main`);
  return { repository, first };
}

/** Begins a session through the front end and makes a branch in its scratch repository. */
async function changed(repository: string, commit: string): Promise<string> {
  const { token, path } = await frontEnd.call("BeginWrite", { repository }, PATIENCE);
  await cluster.git.git([`--git-dir=${path}`, "update-ref", "refs/heads/made", commit]);
  return token;
}

/** Keeps bumps from being decided until it is disposed of. */
async function undecided(): Promise<AsyncDisposable & { untilAsked(): Promise<void> }> {
  const client = new pg.Client({ connectionString: cluster.databaseUrl });
  await client.connect();
  await client.query("begin; select 1 from lockstep.repository for no key update");
  const waiting = "select 1 from pg_stat_activity where wait_event_type = 'Lock' and query like '%lockstep.bump%'";
  // A transaction sees the activity of its first look only.
  const ask = (text: string) => administer(cluster.databaseUrl, (other) => other.query(text));
  return {
    untilAsked: () => vi.waitFor(async () => expect((await ask(waiting)).rowCount).toBe(1), SOON),
    async [Symbol.asyncDispose]() {
      await client.query("rollback");
      await client.end();
    },
  };
}

/** A way to a device that can be cut. */
async function wayTo(address: string): Promise<{ address: string; cut(): void }> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((near) => {
    const far = connect(Number(address.split(":")[1]), "127.0.0.1");
    for (const socket of [near, far]) sockets.add(socket.on("error", () => {}));
    near.pipe(far).pipe(near);
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as { port: number };
  return {
    address: `localhost:${port}`,
    cut() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

describe("a front end over mutual TLS", () => {
  it("begins, renews and lands a write, and asks what became of it on any device", async () => {
    const { repository, first } = await withMain();
    const writeId = randomUUID();
    const request = { repository, author: "grace", reason: "merge 7", writeId };
    const begun = await frontEnd.call("BeginWrite", request, PATIENCE);
    expect(begun).toMatchObject({ writeId, baseVersion: "1" });
    expect(await frontEnd.call("BeginWrite", request, PATIENCE)).toMatchObject({ token: begun.token });
    await cluster.git.git([`--git-dir=${begun.path}`, "update-ref", "refs/heads/made", first]);
    const { token } = begun;
    const renewed = await frontEnd.call("RenewWrite", { repository, token }, PATIENCE);
    expect(Number(renewed.expiresAt?.seconds)).toBeGreaterThanOrEqual(Number(begun.expiresAt?.seconds));
    const landed = { writeId, version: "2", refsChanged: 1 };
    expect(await frontEnd.call("BumpVersion", { repository, token }, PATIENCE)).toEqual(landed);
    // However late, and wherever.
    expect(await two.call("BumpVersion", { repository, token }, PATIENCE)).toEqual(landed);
    const { write } = await two.call("GetWrite", { repository, writeId }, PATIENCE);
    expect(write).toMatchObject({ status: "WRITE_STATUS_LANDED", version: "2", author: "grace", reason: "merge 7" });
    for (const method of ["RenewWrite", "AbortWrite"] as const)
      await expect(frontEnd.call(method, { repository, token }, PATIENCE)).rejects.toMatchObject({
        code: "WRITE_DROPPED",
        message: expect.stringContaining("has landed"),
      });
    await expectAtRest(cluster, repository);
  });

  it("drops a write, is told at each call which refs are kept, and cannot land the write any more", async () => {
    const { repository, first } = await withMain();
    const token = await changed(repository, first);
    const abort = { repository, token, reason: "the reviewer said no" };
    const gone = await frontEnd.call("AbortWrite", abort, PATIENCE);
    expect(gone.savedRefs).toEqual([`refs/lockstep/dropped/${gone.writeId}/heads/made`]);
    expect(await frontEnd.call("AbortWrite", abort, PATIENCE)).toEqual(gone);
    await expect(frontEnd.call("BumpVersion", { repository, token }, PATIENCE)).rejects.toMatchObject({
      code: "WRITE_DROPPED",
      message: expect.stringContaining("the reviewer said no"),
    });
    const { log } = await expectAtRest(cluster, repository);
    expect(log).toHaveLength(1);
  });

  it("lands once and gets the same answer twice if it bumps twice at once", async () => {
    const { repository, first } = await withMain();
    const token = await changed(repository, first);
    using second = await clientOf(cluster.demo.line.frontend, one.demo.grpc);
    const bumps = [frontEnd, second].map((client) => client.call("BumpVersion", { repository, token }, PATIENCE));
    const [here, there] = await Promise.all(bumps);
    expect(here).toMatchObject({ version: "2", refsChanged: 1 });
    expect(there).toEqual(here);
    const { log } = await expectAtRest(cluster, repository);
    expect(log).toHaveLength(2);
  });

  it("whose connection breaks while its write is decided asks again, and gets the answer", async () => {
    const { repository, first } = await withMain();
    const token = await changed(repository, first);
    const way = await wayTo(one.demo.grpc);
    using far = await clientOf(cluster.demo.line.frontend, way.address);
    {
      await using decision = await undecided();
      const lost = far.call("BumpVersion", { repository, token }, PATIENCE).catch((error) => error);
      await decision.untilAsked();
      way.cut();
      expect(await lost).toMatchObject({ code: "SIDECAR_UNAVAILABLE" });
    }
    expect(await frontEnd.call("BumpVersion", { repository, token }, PATIENCE)).toMatchObject({
      version: "2",
      refsChanged: 1,
    });
    const { log } = await expectAtRest(cluster, repository);
    expect(log).toHaveLength(2);
  });

  it("that leaves while it waits for the turn does not block other writers", async () => {
    const { repository, first } = await withMain();
    const token = await changed(repository, first);
    const gone = new AbortController();
    const waiting = frontEnd.call("BeginWrite", { repository }, { ...PATIENCE, signal: gone.signal });
    const waiters = () => two.waiters(repository);
    await vi.waitFor(async () => expect(await waiters()).toHaveLength(1), SOON);
    gone.abort();
    await expect(waiting).rejects.toMatchObject({ code: "SHUTTING_DOWN" });
    await vi.waitFor(async () => expect(await waiters()).toEqual([]), SOON);
    await frontEnd.call("BumpVersion", { repository, token }, PATIENCE);
    await expectAtRest(cluster, repository);
  });
});

it("a device's certificate begins, renews, lands and drops nothing", async () => {
  const { repository, first } = await withMain();
  const token = await changed(repository, first);
  using device = await clientOf(two.demo, one.demo.grpc);
  for (const method of ["BeginWrite", "RenewWrite", "BumpVersion", "AbortWrite"] as const)
    await expect(device.call(method, { repository, token }, PATIENCE)).rejects.toMatchObject({
      code: "PERMISSION_DENIED",
      message: expect.stringContaining(`device may not call ${method}`),
    });
  await frontEnd.call("BumpVersion", { repository, token }, PATIENCE);
  await expectAtRest(cluster, repository);
});
