// Whose a write session is: two front ends, a device and an operator with certificates of their own, and the local socket. A write id is
// shown to everyone who reads the repository; here everyone knows each id, and where it says so each token.
import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type CredentialPair, issue } from "../../src/ca/authority.ts";
import { Client } from "../../src/client/client.ts";
import type { BeginWriteResponse__Output as Begun } from "../../src/generated/lockstep/v1/BeginWriteResponse.ts";
import { toDuration } from "../../src/protocol/times.ts";
import { administer } from "../support/administer.ts";
import { expectAtRest } from "../support/at-rest.ts";
import { type Cluster, startCluster } from "../support/cluster.ts";
import { type Device, PATIENCE } from "../support/cluster-device.ts";
import { type Pusher, pusher } from "../support/pusher.ts";

type Caller = "web" | "wiki" | "ops" | "socket";

let cluster: Cluster;
let one: Device;
let two: Device;
let ada: Pusher;
let callers: Record<Caller, Client>;
/** The same certificate as web's, to another device. */
let webAtTwo: Client;
beforeAll(async () => {
  cluster = await startCluster();
  [one, two] = cluster.devices as [Device, Device];
  ada = await pusher(cluster.git, "ada");
  const web = await issued("frontend", "web");
  callers = {
    web: clientOf(web, one),
    wiki: clientOf(await issued("frontend", "wiki"), one),
    // As the front end is called: names count together with their role.
    ops: clientOf(await issued("operator", "web"), one),
    socket: new Client({ socket: one.demo.socket }),
  };
  webAtTwo = clientOf(web, two);
});
afterAll(async () => {
  for (const client of [...Object.values(callers ?? {}), webAtTwo]) client?.[Symbol.dispose]();
  await cluster?.[Symbol.asyncDispose]();
});

interface Pems extends CredentialPair {
  readonly ca: string;
}

async function issued(role: "frontend" | "operator", name: string): Promise<Pems> {
  const { ca } = cluster.demo.line;
  const keyPem = await readFile(ca.replace(/\.pem$/, ".key"), "utf8");
  const authority = { certificatePem: await readFile(ca, "utf8"), keyPem };
  return { ...(await issue(authority, { role, name, hosts: [], days: 1 })), ca: authority.certificatePem };
}

function clientOf({ certificatePem: cert, keyPem: key, ca }: Pems, device: Device): Client {
  const { trust_domain: trustDomain } = cluster.demo.line;
  return new Client({ address: device.demo.grpc, ca, cert, key, trustDomain, device: device.name });
}

/** A repository with one commit on main. */
async function withMain(): Promise<{ repository: string; first: string }> {
  const repository = await cluster.createRepository();
  const first = await ada.commit();
  await ada.land(one.url(repository), `${first}:refs/heads/main`);
  return { repository, first };
}

/** Begins a session and makes a branch in its scratch repository, or on the live files. */
async function changed(caller: Caller, repository: string, commit: string, live = false): Promise<Begun> {
  const begun = await callers[caller].call("BeginWrite", { repository, live }, PATIENCE);
  await cluster.git.git([`--git-dir=${begun.path}`, "update-ref", "refs/heads/made", commit]);
  return begun;
}

const renew = (client: Client, repository: string, token: string) =>
  client.call("RenewWrite", { repository, token }, PATIENCE);
const bump = (client: Client, repository: string, token: string) =>
  client.call("BumpVersion", { repository, token }, PATIENCE);
const abort = (client: Client, repository: string, named: { token?: string; writeId?: string }, reason = "") =>
  client.call("AbortWrite", { repository, reason, ...named }, PATIENCE);

const DENIED = { code: "PERMISSION_DENIED" };
const USED = { code: "INVALID_REQUEST", message: expect.stringContaining("of another caller or device") };

describe("a session is not given to another caller that repeats BeginWrite with its id", () => {
  it.each<[Caller, Caller, boolean]>([
    ["web", "wiki", false],
    ["web", "ops", false],
    ["web", "socket", false],
    ["ops", "web", false],
    ["ops", "socket", false],
    ["ops", "wiki", true],
    ["socket", "wiki", true],
    ["socket", "ops", false],
  ])("that of %s to %s (live: %s)", async (owner, other, live) => {
    const { repository, first } = await withMain();
    const { writeId, token } = await changed(owner, repository, first, live);
    const { writer } = await callers[other].call("GetVersion", { repository }, PATIENCE);
    expect(writer?.writeId).toBe(writeId);
    for (const wait of [0, 30_000]) {
      const request = { repository, writeId, wait: toDuration(wait) };
      await expect(callers[other].call("BeginWrite", request, PATIENCE)).rejects.toMatchObject(USED);
    }
    await renew(callers[owner], repository, token);
    expect(await bump(callers[owner], repository, token)).toMatchObject({ version: "2", refsChanged: 1 });
    await expectAtRest(cluster, repository);
  });

  it("while it waits for the turn, and on another device; it keeps its place", async () => {
    const { repository, first } = await withMain();
    const before = await changed("ops", repository, first);
    const writeId = randomUUID();
    const waiting = callers.web.call("BeginWrite", { repository, writeId }, PATIENCE);
    const waiters = () => two.waiters(repository);
    await expect.poll(waiters, { timeout: 20_000 }).toHaveLength(1);
    const request = { repository, writeId, wait: toDuration(0) };
    for (const client of [callers.wiki, callers.ops, callers.socket, webAtTwo])
      await expect(client.call("BeginWrite", request, PATIENCE)).rejects.toMatchObject(USED);
    expect(await waiters()).toHaveLength(1);
    await bump(callers.ops, repository, before.token);
    const { token } = await waiting;
    await bump(callers.web, repository, token);
    await expectAtRest(cluster, repository);
  });

  it("the same caller gets the same token again, on another connection too, and only where it began", async () => {
    const { repository, first } = await withMain();
    const { writeId, token } = await changed("web", repository, first);
    const renewed = await issued("frontend", "web");
    const key = { role: "frontend", name: "web", certificate: renewed.certificatePem };
    await one.call("TrustKey", key, PATIENCE);
    using again = clientOf(renewed, one);
    expect(await again.call("BeginWrite", { repository, writeId }, PATIENCE)).toMatchObject({ writeId, token });
    await expect(webAtTwo.call("BeginWrite", { repository, writeId }, PATIENCE)).rejects.toMatchObject(USED);
    expect(await bump(again, repository, token)).toMatchObject({ version: "2" });
    await expectAtRest(cluster, repository);
  });
});

describe("a token serves its caller only", () => {
  it.each<[Caller, Caller]>([
    ["web", "wiki"],
    ["ops", "web"],
    ["socket", "wiki"],
  ])("what %s began %s neither renews, nor lands, nor drops", async (owner, other) => {
    const { repository, first } = await withMain();
    const { writeId, token } = await changed(owner, repository, first);
    const stranger = callers[other];
    await expect(renew(stranger, repository, token)).rejects.toMatchObject(DENIED);
    await expect(bump(stranger, repository, token)).rejects.toMatchObject(DENIED);
    await expect(abort(stranger, repository, { token })).rejects.toMatchObject(DENIED);
    await expect(abort(stranger, repository, { writeId })).rejects.toMatchObject(DENIED);
    expect(await bump(callers[owner], repository, token)).toMatchObject({ version: "2", refsChanged: 1 });
    await expect(bump(stranger, repository, token)).rejects.toMatchObject(DENIED);
    await expectAtRest(cluster, repository);
  });

  it("the owner of a session cannot drop it by its id, which is no secret", async () => {
    const { repository, first } = await withMain();
    const { writeId, token } = await changed("web", repository, first);
    await expect(abort(callers.web, repository, { writeId })).rejects.toMatchObject(DENIED);
    await bump(callers.web, repository, token);
    await expectAtRest(cluster, repository);
  });

  it("the token itself is nowhere in the database", async () => {
    const { repository, first } = await withMain();
    const { token } = await changed("web", repository, first);
    const secret = token.split(".")[1]!;
    const texts = await administer(cluster.databaseUrl, async (client) => {
      const { rows } = await client.query(
        "select w::text || t::text as text from lockstep.write w join lockstep.turn t on t.write_id = w.id",
      );
      return rows.map(({ text }) => text as string);
    });
    expect(texts).toHaveLength(1);
    for (const form of [secret, Buffer.from(secret).toString("hex")]) expect(texts[0]).not.toContain(form);
    await bump(callers.web, repository, token);
  });
});

describe("an operator", () => {
  it.each<[string, Caller, (begun: Begun) => { token?: string; writeId?: string }]>([
    ["by its token, with a certificate", "ops", ({ token }) => ({ token })],
    ["by its id, with a certificate", "ops", ({ writeId }) => ({ writeId })],
    ["by its id, over the socket", "socket", ({ writeId }) => ({ writeId })],
  ])("drops anybody's session %s; what was changed is kept, and it is written down", async (_, operator, named) => {
    const { repository, first } = await withMain();
    const begun = await changed("web", repository, first);
    const dropped = await abort(callers[operator], repository, named(begun), "it holds up everyone");
    expect(dropped).toEqual({
      writeId: begun.writeId,
      savedRefs: [`refs/lockstep/dropped/${begun.writeId}/heads/made`],
    });
    expect(await abort(callers[operator], repository, named(begun))).toEqual(dropped);
    await expect(bump(callers.web, repository, begun.token)).rejects.toMatchObject({
      code: "WRITE_DROPPED",
      message: expect.stringContaining("it holds up everyone"),
    });
    const audit = await administer(cluster.databaseUrl, async (client) => {
      const text =
        "select author, action, device, detail from lockstep.audit where repository = $1 and action = 'drop session'";
      return (await client.query(text, [repository])).rows;
    });
    const detail = { write: begun.writeId, caller: "frontend web" };
    const author = operator === "ops" ? "operator web" : "operator local";
    expect(audit).toEqual([{ author, action: "drop session", device: one.name, detail }]);
    await expectAtRest(cluster, repository);
  });

  it("neither renews nor lands another's session, and learns its outcome when it is over", async () => {
    const { repository, first } = await withMain();
    const { token } = await changed("web", repository, first);
    await expect(renew(callers.ops, repository, token)).rejects.toMatchObject(DENIED);
    await expect(bump(callers.ops, repository, token)).rejects.toMatchObject(DENIED);
    const landed = await bump(callers.web, repository, token);
    expect(await bump(callers.ops, repository, token)).toEqual(landed);
    await expect(abort(callers.ops, repository, { token })).rejects.toMatchObject({ code: "WRITE_DROPPED" });
    await expectAtRest(cluster, repository);
  });

  it("drops a session on another device, which keeps what was changed", async () => {
    const { repository, first } = await withMain();
    const { writeId, token } = await changed("web", repository, first);
    expect(await two.call("AbortWrite", { repository, writeId }, PATIENCE)).toEqual({ writeId, savedRefs: [] });
    await expect(bump(callers.web, repository, token)).rejects.toMatchObject({ code: "WRITE_DROPPED" });
    const kept = `refs/lockstep/dropped/${writeId}/heads/made`;
    expect((await abort(callers.web, repository, { token })).savedRefs).toEqual([kept]);
    await expectAtRest(cluster, repository);
  });

  it("drops a session from the command line, on any device", async () => {
    const { repository, first } = await withMain();
    const { writeId, token } = await changed("web", repository, first);
    const { code, document } = await one.lockstep("lock", repository, "--end", writeId, "--reason", "too slow");
    const kept = [`refs/lockstep/dropped/${writeId}/heads/made`];
    expect([code, document]).toEqual([0, { repository, write_id: writeId, landed: false, saved_refs: kept }]);
    await expect(bump(callers.web, repository, token)).rejects.toMatchObject({
      message: expect.stringContaining("operator local ended it: too slow"),
    });
    expect((await two.print("lock", repository, "--end", writeId)).stdout).toContain(`${writeId} of ${repository} was`);
    expect((await two.print("lock", repository, "--end", writeId, "--", "true")).code).toBe(2);
    expect((await two.print("lock", repository, "--end", "it")).stderr).toContain("A write id is a UUID");
    await expectAtRest(cluster, repository);
  });

  it("cannot drop an ordinary write, or a session of another repository", async () => {
    const { repository, first } = await withMain();
    const { repository: other } = await withMain();
    const { writeId, token } = await changed("web", repository, first);
    const unknown = { code: "WRITE_NOT_FOUND" };
    await expect(abort(callers.ops, other, { writeId })).rejects.toMatchObject(unknown);
    await expect(abort(callers.ops, repository, { writeId: randomUUID() })).rejects.toMatchObject(unknown);
    await expect(abort(callers.ops, repository, {})).rejects.toMatchObject(unknown);
    const text =
      "select write_id as id from lockstep.ref_log l join lockstep.repository r on r.id = repository_id where r.name = $1";
    const pushes = await administer(
      cluster.databaseUrl,
      async (client) => (await client.query(text, [repository])).rows,
    );
    await expect(abort(callers.ops, repository, { writeId: pushes[0].id })).rejects.toMatchObject(unknown);
    await bump(callers.web, repository, token);
    await expectAtRest(cluster, repository);
  });
});

it("a caller whose keys are revoked loses its session and its places in the queue, on every device, and no other caller does", async () => {
  const { repository, first } = await withMain();
  const { repository: other, first: base } = await withMain();
  const thief = await issued("frontend", "thief");
  using atOne = clientOf(thief, one);
  using atTwo = clientOf(thief, two);
  const begun = await atOne.call("BeginWrite", { repository }, PATIENCE);
  await cluster.git.git([`--git-dir=${begun.path}`, "update-ref", "refs/heads/stolen", first]);
  const { token } = await changed("web", other, base);
  const waitsAtTwo = atTwo.call("BeginWrite", { repository: other, wait: toDuration(60_000) }, PATIENCE);
  const lost = expect(waitsAtTwo).rejects.toThrow();
  const rows = async (text: string) =>
    await administer(cluster.databaseUrl, async (client) => (await client.query(text)).rows);
  const places = "select caller from lockstep.turn where caller = 'frontend thief'";
  await vi.waitFor(async () => expect(await rows(places)).toHaveLength(2), { timeout: 20_000, interval: 20 });
  const { code } = await two.print("frontend", "revoke", "thief", "--reason", "stolen", "--yes");
  expect(code).toBe(0);
  // Nothing runs out for that: the statement that revokes does it.
  expect(await rows(places)).toEqual([]);
  expect(await rows(`select status, drop_reason from lockstep.write where id = '${begun.writeId}'`)).toEqual([
    { status: "dropped", drop_reason: "the keys of frontend thief were revoked" },
  ]);
  await lost;
  await expect(bump(atOne, repository, begun.token)).rejects.toThrow();
  expect(await bump(callers.web, other, token)).toMatchObject({ version: "2", refsChanged: 1 });
  for (const each of [repository, other]) await expectAtRest(cluster, each);
});
