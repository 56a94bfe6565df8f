import type { IncomingMessage } from "node:http";
import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import { WholeBodies } from "../../src/git-port/request-whole.ts";
import { LIMITS } from "../support/limits.ts";

const MIB = 1 << 20;

/** A request whose body a test writes. */
function request(): { body: PassThrough; asIncoming: IncomingMessage } {
  const body = new PassThrough();
  return { body, asIncoming: Object.assign(body, { socket: { destroy() {} } }) as unknown as IncomingMessage };
}

async function read(bodies: WholeBodies, bytes: number): Promise<number> {
  const { body, asIncoming } = request();
  const whole = bodies.read(asIncoming);
  body.end(Buffer.alloc(bytes));
  return (await whole).length;
}

describe("the body of a request to the git port", () => {
  it("the body of a request has at most 16 MiB", async () => {
    const bodies = new WholeBodies("repo001", LIMITS.portLimits.bigRequests);
    expect(await read(bodies, 16 * MIB)).toBe(16 * MIB);
    await expect(read(bodies, 16 * MIB + 1)).rejects.toThrow(/at most 16777216 bytes/);
  });

  it("is refused above 1 MiB while four such are being read, and taken when one has ended", async () => {
    const bodies = new WholeBodies("repo001", LIMITS.portLimits.bigRequests);
    const four = await Promise.all(
      Array.from({ length: 4 }, async () => {
        const { body, asIncoming } = request();
        const whole = bodies.read(asIncoming);
        await new Promise<void>((done) => body.write(Buffer.alloc(MIB + 1), () => done()));
        return { body, whole };
      }),
    );
    await expect(read(bodies, MIB + 1)).rejects.toMatchObject({ code: "QUEUE_FULL" });
    expect(await read(bodies, MIB)).toBe(MIB);
    four[0]?.body.end();
    await four[0]?.whole;
    expect(await read(bodies, MIB + 1)).toBe(MIB + 1);
    for (const { body, whole } of four) {
      body.end();
      await whole;
    }
  });
});
