// The limits of the gate: requests at once, stalled bodies, and long bodies.
import { once } from "node:events";
import type { ClientRequest, IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { LockstepError } from "../../src/errors.ts";
import type { GateOptions } from "../../src/gate/gate.ts";
import { readRanges } from "../../src/io/client-address.ts";
import { shortenWaits } from "../../src/waits.ts";
import { FETCH_TYPE, GATE_LIMITS, GateSite, GRANT, MIB, PUSH_TYPE, SOON } from "../support/gate-site.ts";
import { sendSlowly } from "../support/slow-client.ts";

let site: GateSite;
beforeEach(async () => {
  site = await GateSite.make();
});
afterEach(async () => await site[Symbol.asyncDispose]());

async function open(options: Partial<GateOptions>): Promise<void> {
  await site.gate[Symbol.asyncDispose]();
  site.gate = await site.openGate(options);
}

/** Begins a request whose body stops after `bytes`. */
function stalled(service: "upload-pack" | "receive-pack", bytes = "00", told?: string): ClientRequest {
  const type = service === "upload-pack" ? FETCH_TYPE : PUSH_TYPE;
  const headers = { ...type, ...(told !== undefined && { "X-Forwarded-For": told }) };
  const request = site.open(`/team/app.git/git-${service}`, { method: "POST", headers });
  request.on("error", () => {});
  request.write(bytes);
  return request;
}

const refs = () => site.fetchRaw("/team/app.git/info/refs?service=git-upload-pack");

it("a client that sends the head of a request without end is cut off, and others are served", async () => {
  shortenWaits(1 / 50);
  await open({});
  shortenWaits(1);
  await sendSlowly(Number(new URL(site.gate.url).port));
  expect((await refs()).status).toBe(200);
});

describe("requests at once", () => {
  it("are as many as the limit; a further one waits without a git, and is served when another has ended", async () => {
    await open({ placeLimits: { ...GATE_LIMITS.placeLimits, requests: 2 } });
    const requests = [stalled("receive-pack"), stalled("upload-pack")];
    await vi.waitFor(async () => expect(await site.starts()).toBe(2), SOON);
    const third = refs();
    const fourth = refs();
    await new Promise((done) => setTimeout(done, 200));
    expect(await site.starts()).toBe(2);
    for (const request of requests) request.destroy();
    expect([(await third).status, (await fourth).status]).toEqual([200, 200]);
  });

  it("are refused with 503 beyond those that may wait, also a push that sends nothing more", async () => {
    await open({
      placeLimits: { requests: 1, perAddress: 8, waiting: 0, patienceMs: 1 },
      bodyLimits: { idleMs: 60_000, fetchBytes: MIB },
    });
    const request = stalled("upload-pack");
    await vi.waitFor(async () => expect(await site.starts()).toBe(1), SOON);
    const refused = await refs();
    expect(refused).toMatchObject({ status: 503, headers: { "retry-after": "5" } });
    expect(refused.body).toMatch(/as many requests as it can; try again/);
    const push = stalled("receive-pack");
    const [answer] = (await once(push, "response")) as [IncomingMessage];
    expect(answer.statusCode).toBe(503);
    answer.resume();
    request.destroy();
    push.destroy();
  });
});

describe("requests at once behind a proxy on this machine", () => {
  const fetchFor = (told: string) =>
    site.fetchRaw("/team/app.git/info/refs?service=git-upload-pack", { headers: { "X-Forwarded-For": told } });
  /** Two requests of one client, as the proxy tells, which is the limit of an address. */
  async function twoStalled(trusted: string): Promise<() => void> {
    await open({
      placeLimits: { requests: 4, perAddress: 2, waiting: 0, patienceMs: 1 },
      trustedProxies: readRanges(trusted),
    });
    const requests = [stalled("upload-pack", "00", ADA), stalled("receive-pack", "00", ADA)];
    await vi.waitFor(async () => expect(await site.starts()).toBe(2), SOON);
    return () => {
      for (const request of requests) request.destroy();
    };
  }
  const ADA = "198.51.100.9";

  it("are limited for each client of a trusted proxy, whatever a client has put before its own address", async () => {
    const leave = await twoStalled("127.0.0.1");
    for (const told of [ADA, `203.0.113.5, ${ADA}`]) expect(await fetchFor(told)).toMatchObject({ status: 503 });
    expect((await fetchFor("198.51.100.10")).status).toBe(200);
    expect((await fetchFor(`${ADA}, 198.51.100.10`)).status).toBe(200);
    leave();
    await vi.waitFor(async () => expect((await fetchFor(ADA)).status).toBe(200), SOON);
  });

  it("are not told apart without the setting, so only the limit of all requests holds", async () => {
    const leave = await twoStalled("");
    expect((await fetchFor(ADA)).status).toBe(200);
    leave();
  });
});

describe("requests that ask the sidecar", () => {
  /** The sidecar answers about other/app at `answer`, and about all other repositories at once. */
  async function slowSidecar(limits: Partial<GateOptions>): Promise<{ answer: () => void; asked: () => number }> {
    let answer = () => {};
    const answered = new Promise<void>((done) => {
      answer = done;
    });
    let asked = 0;
    site.beforeRead = async (repository) => {
      if (repository === "other/app") {
        asked += 1;
        await answered;
      }
      return GRANT;
    };
    await open(limits);
    return { answer, asked: () => asked };
  }
  const slow = () => site.fetchRaw("/other/app.git/info/refs?service=git-upload-pack");

  it("take no place: 80 reads that wait for one slow copy keep nobody from another repository", async () => {
    const sidecar = await slowSidecar({});
    const waiting = Array.from({ length: 80 }, slow);
    await vi.waitFor(() => expect(sidecar.asked()).toBe(80), SOON);
    expect((await refs()).status).toBe(200);
    sidecar.answer();
    for (const { status } of await Promise.all(waiting)) expect(status).toBe(404);
  });

  it("are as many as the limit; a further one is refused with 503 at once", async () => {
    const sidecar = await slowSidecar({ askingLimits: { requests: 3, perAddress: 9 } });
    const waiting = [slow(), slow(), slow()];
    await vi.waitFor(() => expect(sidecar.asked()).toBe(3), SOON);
    expect(await refs()).toMatchObject({ status: 503, headers: { "retry-after": "5" } });
    sidecar.answer();
    await Promise.all(waiting);
    expect((await refs()).status).toBe(200);
  });

  it("ask again after they have waited for a place, since another replica may lie there now", async () => {
    await open({ placeLimits: { ...GATE_LIMITS.placeLimits, requests: 1 } });
    const request = stalled("receive-pack");
    await vi.waitFor(async () => expect(await site.starts()).toBe(1), SOON);
    let asked = 0;
    site.beforeRead = async () => {
      asked += 1;
      if (asked === 2) throw new LockstepError("REPOSITORY_NOT_FOUND", "There is no repository team/app.");
      return GRANT;
    };
    const next = refs();
    await vi.waitFor(() => expect(asked).toBe(1), SOON);
    request.destroy();
    expect((await next).status).toBe(404);
  });
});

describe("a body", () => {
  it.each(["upload-pack", "receive-pack"] as const)(
    "a body of %s that stalls is ended, and so is its git",
    async (service) => {
      await open({ bodyLimits: { idleMs: 300, fetchBytes: MIB } });
      const request = stalled(service);
      const closed = once(request, "close");
      const [answer] = (await once(request, "response")) as [IncomingMessage];
      expect(answer.statusCode).toBe(408);
      expect(await text(answer)).toMatch(/No data came for/);
      await closed;
      await site.untilNoGitRuns();
    },
  );

  it("a body that comes slowly is read to its end", async () => {
    await open({ bodyLimits: { idleMs: 3_000, fetchBytes: MIB } });
    const id = await site.sandbox.commit(site.work, "first", { "a.txt": "a" });
    const body = await site.pushBody("refs/heads/slow", id);
    const request = site.open("/team/app.git/git-receive-pack", { method: "POST", headers: PUSH_TYPE });
    // All in all it takes longer than a body may stall.
    for (let part = 0; part < 8; part += 1) {
      request.write(body.subarray((part * body.length) / 8, ((part + 1) * body.length) / 8));
      await new Promise((done) => setTimeout(done, 500));
    }
    request.end();
    const [answer] = (await once(request, "response")) as [IncomingMessage];
    answer.resume();
    await vi.waitFor(async () => expect(await site.refs()).toContain("refs/heads/slow"), SOON);
  });

  it.each([
    [1_000, 200],
    [1_001, 413],
  ])(
    "a body of a fetch with %i bytes, where 1,000 are the limit, is answered with %i, compressed or not",
    async (length, status) => {
      await open({ bodyLimits: { idleMs: 60_000, fetchBytes: 1_000 } });
      // git answers a request that it does not understand with an error packet.
      const body = Buffer.concat([Buffer.from("0000"), Buffer.alloc(length - 4, "0")]);
      const post = { method: "POST", headers: { ...FETCH_TYPE, "Git-Protocol": "version=2" } };
      expect((await site.fetchRaw("/team/app.git/git-upload-pack", post, body)).status).toBe(status);
      const zipped = { ...post, headers: { ...post.headers, "Content-Encoding": "gzip" } };
      expect((await site.fetchRaw("/team/app.git/git-upload-pack", zipped, gzipSync(body))).status).toBe(status);
      await site.untilNoGitRuns();
    },
  );
});

describe("a request for another host", () => {
  it("is refused with 421, and for a name of the settings it is served", async () => {
    await open({ hostNames: new Set(["git.example.org"]) });
    const ask = (host: string) =>
      site.fetchRaw("/team/app.git/info/refs?service=git-upload-pack", { headers: { Host: host } });
    expect(await ask("evil.example.org")).toMatchObject({
      status: 421,
      body: expect.stringContaining("does not know itself as evil.example.org"),
    });
    for (const host of ["git.example.org", "127.0.0.1:1", "localhost"]) expect((await ask(host)).status).toBe(200);
  });
});
