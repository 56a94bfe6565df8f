// Whose a write session is: two front ends, a device and an operator with certificates of their own, and the local socket. A write id is
// shown to everyone who reads the repository; here everyone knows each id, and where it says so each token.
import { randomUUID } from "node:crypto";
import { describe, expect, it, vi } from "vitest";
import { toDuration } from "../../src/protocol/times.ts";
import { administer } from "../support/administer.ts";
import { expectAtRest } from "../support/at-rest.ts";
import { PATIENCE } from "../support/cluster-device.ts";
import {
  abort,
  bump,
  type Caller,
  callers,
  changed,
  clientOf,
  cluster,
  DENIED,
  issued,
  one,
  renew,
  startClusterWithCallers,
  two,
  webAtTwo,
  withMain,
} from "../support/session-callers.ts";
import { soon } from "../support/soon.ts";

startClusterWithCallers();

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
    await expect.poll(waiters, soon()).toHaveLength(1);
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
  await vi.waitFor(async () => expect(await rows(places)).toHaveLength(2), soon(20));
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
