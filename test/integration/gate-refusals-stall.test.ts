// A client may begin a push that is refused, and then send nothing, or much. It costs the gate little.
import { once } from "node:events";
import { type ClientRequest, type IncomingMessage, request } from "node:http";
import { text } from "node:stream/consumers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { LockstepError } from "../../src/errors.ts";
import type { Gate, GateOptions } from "../../src/gate/gate.ts";
import { readRanges } from "../../src/io/client-address.ts";
import { line, makeGateWithCommit, RECEIVE, site, tip, ZERO } from "../support/gate-requests.ts";
import { PUSH_TYPE, SOON } from "../support/gate-site.ts";

makeGateWithCommit();

const SENTENCE = "The database does not answer; try again.";
/** No test waits as long as this. */
const NEVER_MS = 3_600_000;
/** How many pushes of one address are answered in git's form at once. */
const PER_ADDRESS = 4;

describe("a push that is refused before its commands have come", () => {
  const open = new Set<ClientRequest>();
  afterEach(() => {
    for (const each of open) each.destroy();
    open.clear();
  });

  async function gate(options: Partial<GateOptions>): Promise<Gate> {
    site.beforeRead = async () => {
      throw new LockstepError("DATABASE_UNAVAILABLE", SENTENCE);
    };
    return await site.openGate({ trustedProxies: readRanges("127.0.0.1"), ...options });
  }

  /** Begins a push. Resolves with the status, or with undefined while the gate does not answer. */
  function begin({ url }: Gate, from: string, body?: string) {
    const headers = { ...PUSH_TYPE, "X-Forwarded-For": from };
    const sent = request(`${url}${RECEIVE}`, { method: "POST", headers, agent: false });
    open.add(sent);
    sent.on("error", () => {});
    sent.flushHeaders();
    if (body !== undefined) sent.end(body);
    const answered = once(sent, "response").then(async ([response]: IncomingMessage[]) => {
      const { statusCode: status, headers: found } = response!;
      return { status, closing: found.connection, body: await text(response!) };
    });
    answered.catch(() => {});
    return { sent, answered };
  }

  const whole = () => `${line(`${ZERO} ${tip} refs/heads/x\0 report-status`)}0000`;

  it("waits with few others of its address; further ones get a plain answer, and those of others git's form", async () => {
    await using slow = await gate({ bodyLimits: { idleMs: NEVER_MS, fetchBytes: 1 } });
    const begun = Array.from({ length: PER_ADDRESS + 1 }, () => begin(slow, "192.0.2.1"));
    const plain = await Promise.race(begun.map(async (each) => ({ ...(await each.answered), sent: each.sent })));
    expect(plain).toMatchObject({ status: 503, closing: "close", body: expect.stringContaining(SENTENCE) });
    const again = () => begin(slow, "192.0.2.1", whole()).answered;
    expect(await again()).toMatchObject({ status: 503, closing: "close" });
    const other = await begin(slow, "192.0.2.2", whole()).answered;
    expect(other).toMatchObject({ status: 200, body: expect.stringContaining(`ng refs/heads/x ${SENTENCE}`) });
    // A client that leaves gives its place back.
    begun.find(({ sent }) => sent !== plain.sent)!.sent.destroy();
    await vi.waitFor(async () => expect(await again()).toMatchObject({ status: 200 }), SOON);
  });

  it("gets a plain answer when its commands do not come in time", async () => {
    await using hasty = await gate({ bodyLimits: { idleMs: 50, fetchBytes: 1 } });
    expect(await begin(hasty, "192.0.2.1").answered).toMatchObject({ status: 503 });
  });

  it("does not hold up the end of the gate", async () => {
    const ending = await gate({ graceMs: 50, bodyLimits: { idleMs: NEVER_MS, fetchBytes: 1 } });
    const waiting = begin(ending, "192.0.2.1");
    await once(waiting.sent, "socket");
    while ((await begin(ending, "192.0.2.1", whole()).answered).status === 503);
    await ending[Symbol.asyncDispose]();
    expect(await waiting.answered).toMatchObject({ status: 503 });
  });
});
