import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import { packet } from "../../src/framing/pkt-line.ts";
import { toldByGit } from "../../src/gate/told-by-git.ts";
import type { GitRequest } from "../../src/smart-http/route.ts";

const PUSH = { service: "receive-pack" } as GitRequest;
const SAID = { sentence: "No.", requestId: "1" };
const COMMAND = packet(`${"1".repeat(40)} ${"0".repeat(40)} refs/heads/main\0 report-status`);

describe("the reading of a refused push", () => {
  it("ends with its signal, and leaves the rest to others", async () => {
    const body = new PassThrough();
    const reading = new AbortController();
    const told = toldByGit(PUSH, body, SAID, reading.signal);
    body.write(COMMAND);
    await new Promise(setImmediate);
    reading.abort();
    expect(await told).toBeUndefined();
    for (const event of ["data", "readable"]) expect(body.listenerCount(event)).toBe(0);
    expect(body.destroyed).toBe(false);
    const dropped = new Promise((done) => body.once("end", done));
    body.resume().end(COMMAND);
    await dropped;
  });

  it("ends at once for a body that is over", async () => {
    const body = new PassThrough().resume().end();
    await new Promise((done) => body.once("end", done));
    expect(await toldByGit(PUSH, body, SAID, new AbortController().signal)).toBeUndefined();
  });
});
