// An anonymous pusher does his worst to one repository. Meanwhile another repository on the same device, and another
// device, are pushed to and read. What counts is what he costs them: processes, memory, descriptors, rows and bytes.
import { once } from "node:events";
import { readdir, readFile } from "node:fs/promises";
import { Agent, type ClientRequest, type IncomingMessage, request } from "node:http";
import { connect, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { expect, it, vi } from "vitest";
import { administer } from "../support/administer.ts";
import { bomb, endlessPack, smallPack } from "../support/bombs.ts";
import { type Device, PATIENCE } from "../support/cluster-device.ts";
import { ada, cluster, one, startClusterOfFile, two } from "../support/file-cluster.ts";
import { processesAt } from "../support/git.ts";
import { soon } from "../support/soon.ts";

const SOON = soon(100);
/** The limits of a gate by default: requests with a git, and those of one address. */
const GITS = 64;
const PER_ADDRESS = 8;
/** Beside receive-pack, a push has unpack-objects or index-pack, and programs that git starts for a moment. */
const PROCESSES_EACH = 4;
const MIB = 1024 * 1024;
/** They name an object that the pack lacks. */
const REFS = 5_000;
const FAST_BYTES = 4 * MIB;
/**
 * The pusher has many addresses. Those of loopback are not limited (test/unit/places.test.ts), so the test keeps to
 * what others would get. Everybody else comes from 127.0.0.1.
 */
const ADDRESSES = ["127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5"];

startClusterOfFile();

const packet = (line: string) => `${(line.length + 4).toString(16).padStart(4, "0")}${line}`;
const command = (ref: string) => `${"0".repeat(40)} ${"1".repeat(40)} ${ref}`;
const HEAD = `${packet(`${command("refs/heads/bomb")}\0 report-status`)}0000`;

/** Requests of the pusher that go on until he gives up. */
class Attack implements Disposable {
  readonly #agent = new Agent({ keepAlive: false });
  readonly #open: (ClientRequest | Socket)[] = [];
  readonly #port: number;
  readonly #path: string;

  constructor(device: Device, repository: string) {
    const url = new URL(device.url(repository));
    this.#port = Number(url.port);
    this.#path = `${url.pathname}/git-receive-pack`;
  }

  /** Begins a push. */
  push(from: string): ClientRequest {
    const headers = { "content-type": "application/x-git-receive-pack-request" };
    const to = { host: "127.0.0.1", port: this.#port, path: this.#path, method: "POST", localAddress: from };
    const sent = request({ ...to, headers, agent: this.#agent });
    sent.on("error", () => {});
    this.#open.push(sent);
    return sent;
  }

  /** Makes a whole push, and returns what the gate says. */
  async whole(from: string, ...parts: (string | Buffer)[]): Promise<string> {
    const sent = this.push(from);
    for (const part of parts) sent.write(part);
    sent.end();
    const [response] = (await once(sent, "response")) as [IncomingMessage];
    return await text(response).catch(() => "hang-up");
  }

  stall(from: string): void {
    this.push(from).write(HEAD.slice(0, 40));
  }

  /** Sends a pack that never ends: some megabytes as fast as the gate takes them, and then a little at a time. */
  async endless(from: string): Promise<void> {
    const sent = this.push(from);
    sent.write(HEAD);
    const closed = new Promise((done) => sent.once("close", done));
    let sentBytes = 0;
    for (const piece of endlessPack()) {
      if (sent.destroyed) return;
      await Promise.race([new Promise((done) => sent.write(piece, done)), closed]);
      sentBytes += piece.length;
      if (sentBytes > FAST_BYTES) await new Promise((done) => setTimeout(done, 500));
    }
  }

  async idle(from: string): Promise<void> {
    const socket = connect({ port: this.#port, host: "127.0.0.1", localAddress: from });
    socket.on("error", () => {});
    this.#open.push(socket);
    await once(socket, "connect");
  }

  [Symbol.dispose](): void {
    for (const each of this.#open) each.destroy();
    this.#agent.destroy();
  }
}

async function costOf(pid: number): Promise<{ memory: number; descriptors: number }> {
  const kilobytes = /^VmRSS:\s+(\d+)/m.exec(await readFile(`/proc/${pid}/status`, "utf8"))?.[1];
  return { memory: Number(kilobytes) * 1024, descriptors: (await readdir(`/proc/${pid}/fd`)).length };
}

/** Rows about a repository. */
async function rowsOf(repository: string): Promise<number> {
  return await administer(cluster.databaseUrl, async (client) => {
    const { rows } = await client.query(
      `select (select count(*) from lockstep.write w where w.repository_id = r.id)
            + (select count(*) from lockstep.turn t where t.repository_id = r.id)
            + (select count(*) from lockstep.command c where c.repository_id = r.id) as count
       from lockstep.repository r where r.name = $1`,
      [repository],
    );
    return Number(rows[0].count);
  });
}

/** What a device has received from others so far, in bytes. */
async function received(device: Device): Promise<number> {
  const metrics = await (await fetch(`${device.demo.http}/metrics`)).text();
  return [...metrics.matchAll(/^lockstep_catch_up_bytes_total\S* (\d+)/gm)].reduce((sum, [, n]) => sum + Number(n), 0);
}

it("costs other repositories and other devices nothing, and leaves nothing behind", async () => {
  const [attacked, beside, elsewhere] = [
    await cluster.createRepository(),
    await cluster.createRepository(),
    await cluster.createRepository(),
  ];
  // All replicas are there, so nothing is on its way.
  for (const device of [one, two]) for (const name of [attacked, beside, elsewhere]) await device.sync(name);
  const gates = [one.demo.gate.pid, one.demo.pid];
  const before = await Promise.all(gates.map(costOf));
  const [rows, bytes] = [await rowsOf(attacked), await received(two)];

  using attack = new Attack(one, attacked);
  const first = ADDRESSES[0]!;
  for (const from of ADDRESSES) for (let count = 1; count < PER_ADDRESS; count += 1) attack.stall(from);
  await Promise.all(
    ADDRESSES.map(async (from) => await Promise.all(Array.from({ length: 50 }, () => attack.idle(from)))),
  );
  const endless = ADDRESSES.map((from) => attack.endless(from));
  const gits = async () => (await processesAt(one.gitDir(attacked))).length;

  // Meanwhile others push and read.
  let most = 0;
  const tips = new Map<string, string>();
  for (let count = 0; count < 2; count += 1) {
    for (const [device, name] of [
      [one, beside],
      [two, elsewhere],
    ] as const) {
      const tip = await ada.commit(tips.get(name));
      await ada.land(device.url(name), `${tip}:refs/heads/main`);
      tips.set(name, tip);
      for (const reader of [one, two])
        expect(await cluster.git.git(["ls-remote", reader.url(name), "refs/heads/main"])).toContain(tip);
    }
    most = Math.max(most, await gits());
  }
  const during = await Promise.all(gates.map(costOf));
  expect(most).toBeLessThanOrEqual(ADDRESSES.length * PER_ADDRESS * PROCESSES_EACH);
  expect(ADDRESSES.length * PER_ADDRESS).toBeLessThanOrEqual(GITS);
  for (const [index, { memory, descriptors }] of during.entries()) {
    expect(memory - before[index]!.memory).toBeLessThan(250 * MIB);
    // A connection each, and three pipes for each git.
    expect(descriptors - before[index]!.descriptors).toBeLessThan(400 + ADDRESSES.length * PER_ADDRESS * 8);
  }
  attack[Symbol.dispose]();
  await Promise.all(endless);
  await vi.waitFor(async () => expect(await gits()).toBe(0), SOON);

  using second = new Attack(one, attacked);
  expect(await second.whole(first, HEAD, bomb(70))).toMatch(/over limit|abnormal exit|unpack/);
  const many = Array.from({ length: REFS }, (_, index) => {
    const line = command(`refs/many/${index}`);
    return packet(index === 0 ? `${line}\0 report-status side-band-64k` : line);
  });
  expect(await second.whole(first, `${many.join("")}0000`, smallPack("the object of no ref"))).toContain(
    "missing necessary objects",
  );
  await vi.waitFor(async () => expect(await gits()).toBe(0), SOON);

  // Nothing of it is left: no ref, no row, no byte on other devices, no descriptor.
  expect(await cluster.git.git(["ls-remote", two.url(attacked)])).toBe("");
  expect(await one.call("GetVersion", { repository: attacked }, PATIENCE)).toMatchObject({ headVersion: "0" });
  expect(await rowsOf(attacked)).toBe(rows);
  expect((await received(two)) - bytes).toBeLessThan(MIB);
  await vi.waitFor(async () => {
    for (const [index, { descriptors }] of (await Promise.all(gates.map(costOf))).entries())
      expect(descriptors - before[index]!.descriptors).toBeLessThan(40);
  }, SOON);
});
