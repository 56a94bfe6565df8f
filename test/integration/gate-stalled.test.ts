// Clients of the gate that take nothing of their answers, or take them slowly.
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { access, readFile, writeFile } from "node:fs/promises";
import type { ClientRequest, IncomingMessage } from "node:http";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { GateOptions } from "../../src/gate/gate.ts";
import { FETCH_TYPE, GATE_LIMITS, GateSite, MIB, PUSH_TYPE, SOON, script, untilExists } from "../support/gate-site.ts";

/** More than what fits between the two ends of a connection. */
const LARGE = 16 * MIB;
const REFS = "/team/app.git/info/refs?service=git-upload-pack";

let site: GateSite;
beforeEach(async () => {
  site = await GateSite.make();
});
afterEach(async () => await site[Symbol.asyncDispose]());

/** How often a gate has said that it hung up on somebody. */
let hungUp = 0;
const log = {
  info: () => {},
  warn: (_: unknown, message: string) => {
    if (message === "hung up on a client that took nothing for too long") hungUp += 1;
  },
  error: () => {},
};

async function open(options: Partial<GateOptions>, idleMs = 1_000): Promise<void> {
  await site.gate[Symbol.asyncDispose]();
  hungUp = 0;
  site.gate = await site.openGate({ bodyLimits: { idleMs, fetchBytes: MIB }, log, ...options });
}

/** Sends a request and waits for the head of its answer. Nothing more is read. */
async function unread(request: ClientRequest, body: string | Buffer = ""): Promise<IncomingMessage> {
  request.on("error", () => {}).end(body);
  const [response] = (await once(request, "response")) as [IncomingMessage];
  response.on("error", () => {});
  return response;
}

const askRefs = () => unread(site.open(REFS, { agent: false }));

async function clone(): Promise<IncomingMessage> {
  const id = await site.sandbox.git(["rev-parse", "main"], { cwd: site.bare });
  const post = { method: "POST", headers: FETCH_TYPE, agent: false };
  return await unread(site.open("/team/app.git/git-upload-pack", post), `0032want ${id}\n00000009done\n`);
}

/** Lets the repository have one large file. */
async function fill(): Promise<void> {
  await writeFile(join(site.work, "large"), randomBytes(LARGE));
  await site.sandbox.git(["config", "--global", "core.compression", "0"]);
  await site.sandbox.commit(site.work, "large");
  await site.sandbox.git(["push", "--quiet", site.bare, "main"], { cwd: site.work });
}

/** Lets the refs of the repository take 12 MB in an answer. */
async function fillRefs(): Promise<string> {
  const id = await site.sandbox.commit(site.work, "first", { file: "content" });
  await site.sandbox.git(["push", "--quiet", site.bare, "main"], { cwd: site.work });
  const names = Array.from({ length: 60_000 }, (_, n) => `${id} refs/tags/${String(n).padStart(150, "0")}`);
  await writeFile(join(site.bare, "packed-refs"), `# pack-refs with: sorted\n${names.join("\n")}\n`);
  return id;
}

/** Waits until the kernel keeps all that it can for a client of the gate, so that the gate cannot write any more. */
async function untilFull(): Promise<void> {
  const port = Number(new URL(site.gate.url).port).toString(16).toUpperCase().padStart(4, "0");
  const kept = async () => {
    const rows = (await readFile("/proc/self/net/tcp", "utf8")).split("\n").map((row) => row.trim().split(/[\s:]+/));
    return Math.max(0, ...rows.filter((row) => row[2] === port).map((row) => Number.parseInt(row[6] as string, 16)));
  };
  await vi.waitFor(async () => {
    const before = await kept();
    expect(before).toBeGreaterThan(MIB);
    await sleep(300);
    expect(await kept()).toBe(before);
  }, SOON);
}

/** Reads all of them. Returns how many were cut off. */
async function cutOff(responses: readonly IncomingMessage[]): Promise<number> {
  const ends = await Promise.all(
    responses.map((response) =>
      buffer(response).then(
        () => 0,
        () => 1,
      ),
    ),
  );
  return ends.filter((end) => end === 1).length;
}

describe("a client that takes nothing", () => {
  const cached = { cacheBytes: 64 * MIB };

  it("of a kept answer counts as a request, costs no copy of the answer, and is hung up on after its time", async () => {
    await open({ ...cached, askingLimits: { requests: 10, perAddress: 10 } });
    await fillRefs();
    expect((await buffer(await askRefs())).length).toBeGreaterThan(LARGE / 2);
    const starts = await site.starts();
    const before = process.memoryUsage().arrayBuffers;
    const held: IncomingMessage[] = [];
    for (let count = 0; count < 10; count += 1) held.push(await askRefs());
    expect((await askRefs()).statusCode).toBe(503);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(3 * LARGE);
    expect(await site.starts()).toBe(starts);
    await vi.waitFor(() => expect(hungUp).toBe(10), SOON);
    expect(await cutOff(held)).toBe(10);
    expect((await askRefs()).statusCode).toBe(200);
  });

  it("of a clone keeps its place for that time, and its git ends", async () => {
    await fill();
    await open({ placeLimits: { ...GATE_LIMITS.placeLimits, requests: 2 } });
    const held = [await clone(), await clone()];
    // It waits in line until then.
    expect((await askRefs()).statusCode).toBe(200);
    await vi.waitFor(() => expect(hungUp).toBe(2), SOON);
    expect(await cutOff(held)).toBe(2);
    await site.untilNoGitRuns();
  });

  it("of the words about its push is hung up on, and the push lands", async () => {
    await open({});
    const done = join(site.sandbox.dir, "done");
    await site.hook("post-receive", `head -c ${LARGE} /dev/zero; touch '${done}'`);
    const id = await site.sandbox.commit(site.work, "first", { file: "content" });
    const post = { method: "POST", headers: PUSH_TYPE, agent: false };
    const request = site.open("/team/app.git/git-receive-pack", post);
    const response = await unread(request, await site.pushBody("refs/heads/main", id));
    await expect(access(done)).rejects.toThrow();
    await untilExists(done);
    expect(await site.refs()).toContain(id);
    expect(await cutOff([response])).toBe(1);
  });
});

describe("a client that is not hung up on", () => {
  it("takes something now and then, however slowly", async () => {
    await fill();
    const idleMs = 1_500;
    await open({}, idleMs);
    const response = await clone();
    const until = performance.now() + 6 * idleMs;
    let taken = 0;
    for await (const chunk of response as AsyncIterable<Buffer>) {
      taken += chunk.length;
      // 64 KiB at most, much less than what the kernel has to get rid of before it tells the gate.
      if (performance.now() < until) await sleep(250);
    }
    expect(response.complete).toBe(true);
    expect(taken).toBeGreaterThan(LARGE);
  });

  it("waits for a git that is silent for long", async () => {
    await fill();
    const idleMs = 500;
    await open({}, idleMs);
    const slowly = join(site.sandbox.dir, "pack-slowly");
    await script(slowly, `sleep ${(4 * idleMs) / 1_000}; exec "$@"`);
    await site.sandbox.git(["config", "--global", "uploadpack.packObjectsHook", slowly]);
    expect((await buffer(await clone())).length).toBeGreaterThan(LARGE);
  });
});

describe("disposing of the gate", () => {
  it("hangs up on a clone of which the client takes nothing", async () => {
    await fill();
    await open({ graceMs: 50 }, 600_000);
    const response = await clone();
    await untilFull();
    await site.gate[Symbol.asyncDispose]();
    await site.untilNoGitRuns();
    expect(await cutOff([response])).toBe(1);
  });

  it("hangs up on a client that takes nothing of a kept answer", async () => {
    await open({ cacheBytes: 64 * MIB, graceMs: 50 }, 600_000);
    await fillRefs();
    await buffer(await askRefs());
    const response = await askRefs();
    await untilFull();
    await site.gate[Symbol.asyncDispose]();
    expect(await cutOff([response])).toBe(1);
  });
});
