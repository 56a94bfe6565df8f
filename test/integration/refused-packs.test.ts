// Packs that are refused leave nothing in the replica, and the reason is told.
import { chmod, mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { addAbortSignal, Readable } from "node:stream";
import { describe, expect, it, vi } from "vitest";
import { receivePack } from "../../src/git/objects/receive-pack.ts";
import { killProcesses } from "../support/crash-points.ts";
import { fixture, never, receiving, SOON } from "../support/received-pack.ts";

describe("a pack that is refused", () => {
  it("does not have all objects of the new commits", async () => {
    await using f = await fixture();
    const commitOnly = await f.pack([], [f.two]);
    await expect(f.receive(commitOnly)).rejects.toMatchObject({ code: "SOURCE_FAILED" });
    expect(await f.has(f.two)).toBe(false);
  });

  it("lacks history that the replica does not have either", async () => {
    await using f = await fixture();
    const tip = await f.pack(["--revs"], [f.two, `^${f.one}`]);
    await expect(f.receive(tip)).rejects.toMatchObject({ code: "SOURCE_FAILED" });
    // Nor does it help that somebody says so.
    await expect(f.receive(tip, { haves: [f.one] })).rejects.toMatchObject({ code: "SOURCE_FAILED" });
    expect(await f.has(f.two)).toBe(false);
  });

  it("ends in commits that are there without what they need, as those of an undecided write may be", async () => {
    await using f = await fixture();
    const commit = await f.sandbox.run(["cat-file", "commit", f.one], { cwd: f.source });
    await f.sandbox.git(["hash-object", "-w", "--literally", "-t", "commit", "--stdin"], {
      cwd: f.dir,
      input: commit.bytes,
    });
    expect(await f.has(f.one)).toBe(true);
    const tip = await f.pack(["--revs"], [f.two, `^${f.one}`]);
    await expect(f.receive(tip)).rejects.toMatchObject({ code: "SOURCE_FAILED" });
    expect(await f.has(f.two)).toBe(false);
  });

  it("needs a base that is not there, as git says", async () => {
    const lines = Array.from({ length: 500 }, (_, index) => `line ${index} ${index * 7919}\n`).join("");
    await using f = await fixture({ one: lines, two: `${lines}and more\n` });
    const thin = await f.pack(["--revs", "--thin"], [f.two, `^${f.one}`]);
    await expect(f.receive(thin)).rejects.toMatchObject({
      code: "GIT_FAILED",
      message: expect.stringContaining("unresolved delta"),
    });
  });

  it("is cut off in the middle, or is not a pack", async () => {
    await using f = await fixture();
    const whole = await f.pack(["--revs"], [f.two]);
    await expect(f.receive(whole.subarray(0, -5))).rejects.toMatchObject({ code: "GIT_FAILED" });
    await expect(f.receive(Buffer.alloc(0))).rejects.toMatchObject({ code: "GIT_FAILED" });
    await expect(f.receive(Buffer.from("<html>"))).rejects.toMatchObject({ code: "GIT_FAILED" });
    const broken = Readable.from(
      (async function* () {
        yield whole.subarray(0, 20);
        throw new Error("hung up");
      })(),
    );
    await expect(f.receive(broken)).rejects.toMatchObject({ code: "SOURCE_FAILED", cause: { message: "hung up" } });
    expect(await f.has(f.two)).toBe(false);
  });

  it("is given up when its caller aborts", async () => {
    await using f = await fixture();
    const stop = new AbortController();
    const stuck = new Readable({ read() {} });
    stuck.push(await f.pack(["--revs"], [f.two]).then((whole) => whole.subarray(0, 30)));
    const received = f.receive(addAbortSignal(stop.signal, stuck), { signal: stop.signal });
    await vi.waitFor(async () => expect(await receiving(f)).toHaveLength(1), SOON);
    stop.abort(new Error("enough"));
    await expect(received).rejects.toThrow("enough");
  });

  it("fails when git is killed before the first of it has come", async () => {
    await using f = await fixture();
    let arrive = (_: Readable) => {};
    const pack = new Promise<Readable>((resolve) => {
      arrive = resolve;
    });
    const received = f.receive(pack);
    received.catch(() => {});
    await vi.waitFor(async () => expect(await receiving(f)).toHaveLength(1), SOON);
    await killProcesses(f.dir, /index-pack/);
    await vi.waitFor(async () => expect(await receiving(f)).toEqual([]), SOON);
    arrive(Readable.from([await f.pack(["--revs"], [f.two])]));
    await expect(received).rejects.toMatchObject({ code: "GIT_FAILED", message: expect.stringContaining("a signal") });
    expect(await readdir(join(f.dir, "objects"))).not.toContainEqual(expect.stringContaining("tmp_objdir"));
    await f.receive(await f.pack(["--revs"], [f.two]));
    expect(await f.has(f.two)).toBe(true);
  });

  it("fails for a reason of ours, which is told even if git left in the middle", async () => {
    await using f = await fixture();
    const bin = join(f.sandbox.dir, "bin");
    await mkdir(bin);
    const script =
      'head -c 1000 > /dev/null; echo "fatal: cannot store pack file: No space left on device" >&2; exit 128';
    await writeFile(join(bin, "git"), `#!/bin/sh\n${script}\n`);
    await chmod(join(bin, "git"), 0o755);
    const context = { ...f.context, path: `${bin}:${f.context.path}` };
    const endless = new Readable({ read: () => setImmediate(() => endless.push(Buffer.alloc(65_536))) });
    const request = { pack: endless, wants: [f.two], haves: [], signal: never };
    await expect(receivePack(context, f.dir, request)).rejects.toMatchObject({
      code: "PREREQUISITE_MISSING",
      message: expect.stringContaining("No space left on device"),
    });
    expect(endless.destroyed).toBe(true);
  });
});
