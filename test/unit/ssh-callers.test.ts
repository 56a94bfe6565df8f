// The connections over ssh that a sidecar knows.
import { PassThrough } from "node:stream";
import { finished } from "node:stream/promises";
import { describe, expect, it } from "vitest";
import { type SshCaller, SshCallers } from "../../src/git-port/callers.ts";
import { ConnectionLimit } from "../../src/tls/connection-limits.ts";
import { latch } from "../support/latch.ts";

const TWO: SshCaller = { device: "repo002", fingerprint: "SHA256:x", from: "192.0.2.2" };
const THREE: SshCaller = { ...TWO, device: "repo003" };

function callers(check: () => Promise<undefined> = async () => undefined, most = 128) {
  const refused: string[] = [];
  const made = new SshCallers({
    trust: { check, revokedError: () => undefined, onChange: () => ({ [Symbol.dispose]() {} }) },
    log: { warn: () => {} },
    onRefused: ({ why }) => refused.push(why),
    maxAgeMs: 3_600_000,
    connections: new ConnectionLimit(most),
  });
  return { callers: made, refused };
}

const gone = async (socket: PassThrough) => await finished(socket.destroy()).catch(() => {});

describe("a connection over ssh", () => {
  it("a connection over ssh is forgotten when it closes", async () => {
    const { callers: all } = callers();
    const socket = new PassThrough();
    await all.take(socket, TWO);
    expect(all.size).toBe(1);
    expect(await all.admit(socket)).toBe("repo002");
    await gone(socket);
    expect(all.size).toBe(0);
    await expect(all.admit(socket)).rejects.toMatchObject({ code: "UNAUTHENTICATED" });
  });

  it("that closes while the registry is asked is not kept, nor counted", async () => {
    const answer = latch();
    const { callers: all } = callers(async () => void (await answer.opened), 1);
    const socket = new PassThrough();
    const taking = all.take(socket, TWO);
    await gone(socket);
    answer.open();
    await expect(taking).rejects.toMatchObject({ code: "UNAUTHENTICATED" });
    expect(all.size).toBe(0);
    await all.take(new PassThrough(), TWO);
    expect(all.size).toBe(1);
  });

  it("is one of so many of its device; a further one is refused, until one has closed", async () => {
    const { callers: all, refused } = callers(undefined, 2);
    const [first, second] = [new PassThrough(), new PassThrough()];
    await all.take(first, TWO);
    await all.take(second, TWO);
    await all.take(new PassThrough(), THREE);
    const third = new PassThrough();
    await expect(all.take(third, TWO)).rejects.toMatchObject({ code: "QUEUE_FULL" });
    expect(refused).toEqual([expect.stringMatching(/^Device repo002 has 2 connections over ssh/)]);
    await gone(third);
    await gone(first);
    await all.take(new PassThrough(), TWO);
    expect(all.size).toBe(3);
  });
});
