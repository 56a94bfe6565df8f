import { randomBytes } from "node:crypto";
import { chmod, mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { addAbortSignal, Readable } from "node:stream";
import { describe, expect, it, vi } from "vitest";
import { existingObjects, isConnected } from "../../src/git/objects/connectivity.ts";
import { receivePack } from "../../src/git/objects/receive-pack.ts";
import type { GitContext } from "../../src/git/process.ts";
import type { PackProgress } from "../../src/git/progress.ts";
import { killProcesses } from "../support/crash-points.ts";
import { type GitSandbox, gitSandbox, processesAt } from "../support/git.ts";

interface Fixture extends AsyncDisposable {
  readonly sandbox: GitSandbox;
  readonly context: GitContext;
  /** The receiving repository. */
  readonly dir: string;
  /** Where the commits are, `one` and its child `two`. */
  readonly source: string;
  readonly one: string;
  readonly two: string;
  pack(options: readonly string[], revisions: readonly string[]): Promise<Buffer>;
  receive(
    pack: Buffer | Parameters<typeof receivePack>[2]["pack"],
    more?: Partial<Parameters<typeof receivePack>[2]>,
  ): Promise<void>;
  has(id: string): Promise<boolean>;
}

const never = new AbortController().signal;
const SOON = { timeout: 20_000 };
/** The git that reads a pack; the one that walks from tip to tip is there as well, and waits for its turn. */
const receiving = async (f: Fixture) => (await processesAt(f.dir)).filter((line) => line.includes("index-pack"));

async function fixture(content: { one?: string | Buffer; two?: string | Buffer } = {}): Promise<Fixture> {
  const sandbox = await gitSandbox();
  // Where git splits the list of alternates, and what it takes for quotes and escapes there.
  const dir = await sandbox.bare('a:b/"ü\\.git');
  const source = await sandbox.workTree("source");
  const one = await sandbox.commit(source, "one", { file: content.one ?? "one\n" });
  const two = await sandbox.commit(source, "two", { file: content.two ?? "two\n" });
  const context = { path: sandbox.env.PATH!, home: sandbox.dir, lockFd: null };
  return {
    sandbox,
    context,
    dir,
    source,
    one,
    two,
    pack: async (options, revisions) =>
      (
        await sandbox.run(["pack-objects", "--stdout", "-q", ...options], {
          cwd: source,
          input: `${revisions.join("\n")}\n`,
        })
      ).bytes,
    receive: (pack, more) =>
      receivePack(context, dir, {
        pack: Buffer.isBuffer(pack) ? Readable.from([pack]) : pack,
        wants: [two],
        haves: [],
        signal: never,
        ...more,
      }),
    has: async (id) => (await existingObjects(context, dir, [id], never)).length === 1,
    async [Symbol.asyncDispose]() {
      const quarantines = (await readdir(join(dir, "objects"))).filter((name) => name.startsWith("tmp_objdir"));
      await vi.waitFor(async () => expect(await processesAt(sandbox.dir)).toEqual([]), SOON);
      await sandbox[Symbol.asyncDispose]();
      expect(quarantines).toEqual([]);
    },
  };
}

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
