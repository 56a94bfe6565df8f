// A pack that is received becomes the replica's when everything is there.
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { Readable } from "node:stream";
import { describe, expect, it, vi } from "vitest";
import { existingObjects, isConnected } from "../../src/git/objects/connectivity.ts";
import type { PackProgress } from "../../src/git/progress.ts";
import { fixture, never, receiving, SOON } from "../support/received-pack.ts";

describe("a pack that is received", () => {
  it("becomes the replica's when everything is there", async () => {
    await using f = await fixture();
    await f.receive(await f.pack(["--revs"], [f.two]));
    expect(await existingObjects(f.context, f.dir, [f.one, f.two], never)).toEqual([f.one, f.two]);
    expect(await f.sandbox.git(["log", "--format=%s", f.two], { cwd: f.dir })).toBe("two\none");
  });

  it("may build on what the replica has", async () => {
    const lines = Array.from({ length: 500 }, (_, index) => `line ${index} ${index * 7919}\n`).join("");
    await using f = await fixture({ one: lines, two: `${lines}and more\n` });
    await f.receive(await f.pack(["--revs"], [f.one]), { wants: [f.one] });
    const thin = await f.pack(["--revs", "--thin"], [f.two, `^${f.one}`]);
    expect(thin.length).toBeLessThan(1_000);
    await f.receive(thin, { haves: [f.one] });
    expect(await f.sandbox.git(["show", `${f.two}:file`], { cwd: f.dir })).toContain("and more");
  });

  it("may hold nothing when everything was there", async () => {
    await using f = await fixture();
    await f.receive(await f.pack(["--revs"], [f.two]));
    await f.receive(await f.pack(["--revs"], [f.two, `^${f.two}`]), { haves: [f.one] });
    expect(await f.has(f.two)).toBe(true);
  });

  it("is not seen before it is whole", async () => {
    await using f = await fixture();
    const whole = await f.pack(["--revs"], [f.two]);
    let seen: boolean | undefined;
    const slow = Readable.from(
      (async function* () {
        yield whole.subarray(0, -1);
        seen = await f.has(f.two);
        yield whole.subarray(-1);
      })(),
    );
    await f.receive(slow);
    expect(seen).toBe(false);
    expect(await f.has(f.two)).toBe(true);
  });

  it("is taken even if its source breaks the connection off after the end of the pack", async () => {
    await using f = await fixture();
    const whole = await f.pack(["--revs"], [f.two]);
    let over = false;
    const rude = Readable.from(
      (async function* () {
        yield whole;
        await vi.waitFor(async () => expect(await receiving(f)).toEqual([]), SOON);
        over = true;
        throw new Error("hung up");
      })(),
    );
    await f.receive(rude);
    expect(over).toBe(true);
    expect(await f.has(f.two)).toBe(true);
  });

  it("a pack of many megabytes streams through, and tells how far it is", async () => {
    await using f = await fixture({ one: randomBytes(12_000_000) });
    const warnings: Error[] = [];
    const warn = (warning: Error) => warnings.push(warning);
    process.on("warning", warn);
    const seen: PackProgress[] = [];
    const whole = await f.pack(["--revs"], [f.two]);
    const chunks = Array.from({ length: Math.ceil(whole.length / 65_536) }, (_, index) =>
      whole.subarray(index * 65_536, (index + 1) * 65_536),
    );
    try {
      await f.receive(Readable.from(chunks), { onProgress: (progress) => seen.push(progress) });
      await new Promise((resolve) => setImmediate(resolve));
    } finally {
      process.off("warning", warn);
    }
    expect(warnings).toEqual([]);
    expect(seen.at(-1)).toMatchObject({ objects: 6, totalObjects: 6 });
    expect(await f.has(f.two)).toBe(true);
  });
});

describe("the walk from new tips to old ones", () => {
  it("is skipped if there are no new tips, and fails for an unknown tip", async () => {
    await using f = await fixture();
    const connected = (wants: string[], haves: string[]) =>
      isConnected(f.context, join(f.source, ".git"), wants, haves, { signal: never });
    expect(await connected([], [])).toBe(true);
    expect(await connected([f.two], [f.one])).toBe(true);
    expect(await connected([f.two], [])).toBe(true);
    expect(await connected([f.one], [f.two])).toBe(true);
    expect(await connected(["12".repeat(20)], [])).toBe(false);
  });
});
