// Devices that ask for packs and then take nothing, or never finish asking: real TLS connections to the real git port.
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { request } from "node:https";
import { buffer } from "node:stream/consumers";
import { connect, type TLSSocket } from "node:tls";
import { describe, expect, it, vi } from "vitest";
import { WAITS } from "../../src/waits.ts";
import { processesAt } from "../support/git.ts";
import { authorityIn, contentsOf, credentialsOf, openGitPort } from "../support/git-port.ts";
import { shortWaits } from "../support/short-waits.ts";
import { soon } from "../support/soon.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change, type TestDevice } from "../support/sync-device.ts";

const APP = "team/app";
/** More than what fits between the two ends of a connection. */
const LARGE = 16_000_000;
/** The time until such a peer is hung up on, and what a busy machine needs. */
const CUT_OFF = soon();

interface Peer {
  byStream(): Promise<IncomingMessage>;
  byGit(): Promise<IncomingMessage>;
  /** A connection over which `bytes` were sent. */
  raw(bytes: string): Promise<TLSSocket>;
}

interface Fixture extends AsyncDisposable {
  readonly a: TestDevice;
  /** What is asked for: everything in the repository. */
  readonly head: string;
  /** A device of its own certificate. */
  peer(name: string): Promise<Peer>;
}

async function fixture(bytes = LARGE): Promise<Fixture> {
  const cluster = await TestCluster.make();
  const authority = await authorityIn(credentialsOf(cluster));
  const a = await cluster.start("repo001");
  await cluster.create(APP, [a]);
  const head = await a.commit(APP, "one", { content: randomBytes(bytes) });
  await a.push(APP, [change("main", null, head)]);
  // What is in a pack is sent as it is.
  await a.git(APP, ["repack", "-adq"]);
  const port = await openGitPort(a, await authority.issue("device", "repo001"));
  const sockets: TLSSocket[] = [];
  return {
    a,
    head,
    async peer(name) {
      const tls = await contentsOf(await authority.issue("device", name));
      await cluster.sql("insert into lockstep.device (name) values ($1) on conflict do nothing", [name]);
      await cluster.sql(
        "insert into lockstep.replica (repository_id, device) select id, $1 from lockstep.repository on conflict do nothing",
        [name],
      );
      const ask = async (path: string, headers: Record<string, string>, body: string) => {
        const asking = request(`https://${port.address}${path}`, { ...tls, agent: false, method: "POST", headers });
        asking.on("error", () => {});
        asking.end(body);
        const [response] = (await once(asking, "response")) as [IncomingMessage];
        response.on("error", () => {});
        return response;
      };
      return {
        byStream: () => ask("/v1/pack", {}, packRequest(a, head)),
        byGit: () => ask(`/${APP}.git/git-upload-pack`, FETCH_HEADERS, fetchOf(head)),
        async raw(bytes) {
          const [host, at] = port.address.split(":");
          const socket = connect({
            host: host as string,
            port: Number(at),
            ...tls,
            checkServerIdentity: () => undefined,
          });
          sockets.push(socket);
          socket.on("error", () => {});
          await once(socket, "secureConnect");
          socket.write(bytes);
          return socket;
        },
      };
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await port[Symbol.asyncDispose]();
      await cluster[Symbol.asyncDispose]();
    },
  };
}

const packRequest = (device: TestDevice, id: string) =>
  JSON.stringify({ repositoryId: device.replica(APP).id, version: "1", visit: "last", wants: [id], haves: [] });
const packet = (line: string) => `${(line.length + 4).toString(16).padStart(4, "0")}${line}`;
const fetchOf = (id: string) =>
  `${packet("command=fetch")}${packet("object-format=sha1")}0001${packet(`want ${id}\n`)}${packet("done\n")}0000`;
const FETCH_HEADERS = { "content-type": "application/x-git-upload-pack-request", "git-protocol": "version=2" };
const post = (path: string, headers: Record<string, string>, body: string, length = body.length) =>
  [
    `POST ${path} HTTP/1.1`,
    "host: repo001",
    ...Object.entries({ ...headers, "content-length": String(length) }).map(([name, value]) => `${name}: ${value}`),
    "",
    body,
  ].join("\r\n");

async function expectWhole(response: IncomingMessage): Promise<void> {
  expect(response.statusCode).toBe(200);
  expect((await buffer(response)).length).toBeGreaterThan(1_000);
}

describe("a device that takes nothing of what it has asked for", () => {
  it.each(["byStream", "byGit"] as const)(
    "keeps no other device from its packs (%s), and is hung up on after its time",
    async (way) => {
      await using f = await fixture();
      const [greedy, other] = [await f.peer("repo002"), await f.peer("repo003")];
      const held: IncomingMessage[] = [];
      for (let count = 0; count < 8; count += 1) held.push(await greedy[way]());
      expect(held.map(({ statusCode }) => statusCode)).toEqual(Array(8).fill(200));
      const cut = held.map((response) => new Promise<void>((closed) => response.once("close", closed)));
      expect((await greedy[way]()).statusCode).toBe(503);
      // Two at once, while all of that goes on.
      await Promise.all([expectWhole(await other.byStream()), expectWhole(await other.byGit())]);
      expect((await processesAt(f.a.gitDir(APP))).length).toBeGreaterThanOrEqual(8);

      await vi.waitFor(async () => expect(await processesAt(f.a.gitDir(APP))).toEqual([]), CUT_OFF);
      for (const response of held) response.resume();
      await Promise.all(cut);
      expect(held.map(({ complete }) => complete)).toEqual(Array(8).fill(false));
      await expectWhole(await greedy[way]());
    },
  );

  it("is not hung up on while it takes something, however slowly", async () => {
    using _ = shortWaits();
    await using f = await fixture();
    const response = await (await f.peer("repo002")).byStream();
    let taken = 0;
    const until = performance.now() + 4 * WAITS.gitStallMs;
    for await (const chunk of response as AsyncIterable<Buffer>) {
      taken += chunk.length;
      // A bite at times, for longer than a stalled peer gets, then all of the rest. The kernel tells the git port that it
      // has room after a megabyte, when such a peer has long seemed to take nothing.
      if (performance.now() < until) await new Promise((next) => setTimeout(next, 200));
    }
    expect(response.complete).toBe(true);
    expect(taken).toBeGreaterThan(LARGE);
  });
});

describe("a device that does not finish its question", () => {
  const questions = (f: Fixture): Record<string, string> => ({
    "the pack stream": post("/v1/pack", {}, packRequest(f.a, f.head).slice(0, -1), packRequest(f.a, f.head).length),
    "stock git": post(
      `/${APP}.git/git-upload-pack`,
      FETCH_HEADERS,
      fetchOf(f.head).slice(0, -4),
      fetchOf(f.head).length,
    ),
  });

  it.each(["the pack stream", "stock git"])(
    "takes no place and starts no git (%s), and is hung up on after its time",
    async (way) => {
      using _ = shortWaits();
      await using f = await fixture(10_000);
      const slow = await f.peer("repo002");
      await f.a.gitCommands();
      const open = await Promise.all(Array.from({ length: 20 }, () => slow.raw(questions(f)[way] as string)));
      const closed = open.map((socket) => once(socket.resume(), "close"));
      // Its own places are free, too.
      for (let count = 0; count < 4; count += 1) {
        await expectWhole(await slow.byStream());
        await expectWhole(await slow.byGit());
      }
      await vi.waitFor(async () => expect(await processesAt(f.a.gitDir(APP))).toEqual([]), CUT_OFF);
      expect((await f.a.gitCommands()).filter((each) => each.startsWith("pack-objects"))).toHaveLength(4);
      await Promise.all(closed);
    },
  );

  it("is answered when it takes its time, byte by byte", async () => {
    using _ = shortWaits();
    await using f = await fixture(10_000);
    const slow = await f.peer("repo002");
    const [whole, tail] = [post(`/${APP}.git/git-upload-pack`, FETCH_HEADERS, fetchOf(f.head)), 12];
    const socket = await slow.raw(whole.slice(0, -tail));
    const answered = once(socket, "data");
    for (const byte of whole.slice(-tail)) {
      await new Promise((next) => setTimeout(next, WAITS.requestStallMs / 10));
      socket.write(byte);
    }
    expect(String((await answered)[0])).toContain("200 OK");
  });

  it("a device that puts many questions into one connection is hung up on, and nothing is left of them", async () => {
    using _ = shortWaits();
    await using f = await fixture();
    const question = post("/v1/pack", {}, packRequest(f.a, f.head));
    const socket = await (await f.peer("repo002")).raw(question.repeat(8));
    await once(socket.resume(), "close");
    await vi.waitFor(async () => expect(await processesAt(f.a.gitDir(APP))).toEqual([]), CUT_OFF);
    const other = await f.peer("repo003");
    await expectWhole(await other.byStream());
  });
});
