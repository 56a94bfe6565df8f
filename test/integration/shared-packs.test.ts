// Clients who ask for the same pack get one pack, from the sidecar, through git's hook for packs. The git server of each
// client is a real `git upload-pack` that starts the native program.
import { once } from "node:events";
import { mkdir, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { encodeFrames } from "../../src/framing/frames.ts";
import { type HookServer, serveHooks } from "../../src/hook/server.ts";
import { PackCache, type PackCacheOptions } from "../../src/pack-cache/pack-cache.ts";
import { script } from "../support/gate-site.ts";
import { type GitSandbox, gitSandbox, processesAt, type RunResult } from "../support/git.ts";
import { update } from "../support/refs.ts";
import { hasNative, NATIVE } from "../support/shim-site.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { SOON, type TestDevice } from "../support/sync-device.ts";

const REPOSITORY = "team/app";
const MIB = 1 << 20;

let cluster: TestCluster;
let device: TestDevice;
let sandbox: GitSandbox;
let hooks: HookServer;
let packs: PackCache;
let tip: string;
/** How each request was answered. */
let answers: string[];
/** Starts the git server of a client. */
let uploadPack: string;

describe.skipIf(!hasNative)("a pack that several clients ask for", () => {
  beforeEach(async () => {
    cluster = await TestCluster.make();
    device = await cluster.start("repo001");
    await cluster.create(REPOSITORY, [device]);
    sandbox = await gitSandbox();
    tip = (await device.history(REPOSITORY))[2];
    await push("refs/heads/main", tip);
    answers = [];
    await open();
    const link = join(sandbox.dir, "bin", "lockstep-pack-objects");
    await mkdir(join(sandbox.dir, "bin"));
    await symlink(NATIVE, link);
    uploadPack = join(sandbox.dir, "bin", "upload-pack");
    await script(uploadPack, `exec git -c uploadpack.packObjectsHook='${link}' upload-pack "$@"`);
  });
  afterEach(async () => {
    await hooks[Symbol.asyncDispose]();
    await cluster[Symbol.asyncDispose]();
    await sandbox[Symbol.asyncDispose]();
  });

  /** Starts the server of the shims with an empty cache. */
  async function open(options: Partial<PackCacheOptions> = {}): Promise<void> {
    const { root, git, log, signal } = device.context;
    const count = (how: string) => void answers.push(how);
    packs = await PackCache.open({ root, git, limit: 64 * MIB, log, signal, count, ...options });
    await mkdir(device.context.socketDir, { recursive: true });
    hooks = await serveHooks(device.context, join(device.context.socketDir, "hook.sock"), packs);
  }

  async function reopen(options: Partial<PackCacheOptions>): Promise<void> {
    await hooks[Symbol.asyncDispose]();
    await open(options);
  }

  async function push(name: string, newValue: string, oldValue: string | null = null): Promise<void> {
    const report = await device.push(REPOSITORY, [update(name, oldValue, newValue)]);
    expect(Object.values(report)).toEqual([null]);
  }

  async function client(args: readonly string[], cwd = sandbox.dir): Promise<RunResult> {
    return await sandbox.run(args, { cwd, env: { LOCKSTEP_SOCKET_DIR: device.context.socketDir } });
  }

  async function clone(into: string, ...options: string[]): Promise<void> {
    const words = ["clone", "--quiet", "--bare", "--no-local", "--upload-pack", uploadPack, ...options];
    const result = await client([...words, "--", device.gitDir(REPOSITORY), into]);
    expect(result).toMatchObject({ code: 0, stderr: expect.stringMatching(/^(remote: half way +\n)?$/) });
    await sandbox.git(["fsck", "--strict"], { cwd: join(sandbox.dir, into) });
  }

  /** Clones without the cache. */
  async function plainClone(into: string, ...options: string[]): Promise<void> {
    await sandbox.git([
      ...["clone", "--quiet", "--bare", "--no-local", ...options, "--"],
      ...[device.gitDir(REPOSITORY), into],
    ]);
  }

  const objectsOf = async (clone: string) => {
    const args = ["cat-file", "--batch-all-objects", "--batch-check", "--unordered"];
    return (await sandbox.git(args, { cwd: join(sandbox.dir, clone) })).split("\n").sort();
  };
  const refsOf = async (clone: string) => await sandbox.git(["for-each-ref"], { cwd: join(sandbox.dir, clone) });
  const packsMade = async () =>
    (await device.gitCommands()).filter((each) => / pack-objects .*--stdout/.test(` ${each}`));
  const files = async () => (await readdir(join(device.context.root, ".lockstep", "packs"))).sort();

  /** The pack that the sidecar makes stops after some bytes, until `go` is called. */
  async function holdPacks(): Promise<() => Promise<void>> {
    const [real, whole, gate] = ["real-git", "whole", "go"].map((name) => join(sandbox.dir, name));
    await symlink(`${await sandbox.git(["--exec-path"])}/git`, real!);
    await device.beforeGit(`
case "$*" in *pack-objects*--stdout*)
  '${real}' "$@" >'${whole}' || exit
  head -c 100 '${whole}'; echo 'half way' >&2; while [ ! -e '${gate}' ]; do sleep 0.01; done; tail -c +101 '${whole}'; exit
esac`);
    return async () => await writeFile(gate!, "");
  }

  it("is made once for ten clients at once, and each has what git would give it", async () => {
    await plainClone("plain");
    const names = Array.from({ length: 10 }, (_, index) => `clone-${index}`);
    await Promise.all(names.map((name) => clone(name)));
    expect(await packsMade()).toHaveLength(1);
    expect(answers.sort()).toEqual(["made", ...Array(9).fill("shared")]);
    for (const name of names) {
      expect(await objectsOf(name)).toEqual(await objectsOf("plain"));
      expect(await refsOf(name)).toBe(await refsOf("plain"));
    }
  });

  it.each([
    ["a shallow clone", ["--depth=1", "--no-single-branch"]],
    ["a clone without blobs", ["--filter=blob:none"]],
    ["a clone without deep trees", ["--filter=tree:1"]],
    ["a clone of one branch", ["--single-branch", "--branch=main"]],
  ])("is what git would give: %s", async (_, options) => {
    await sandbox.git(["config", "uploadpack.allowFilter", "true"], { cwd: device.gitDir(REPOSITORY) });
    await plainClone("plain", ...options);
    await device.gitCommands();
    await clone("first", ...options);
    await clone("second", ...options);
    expect(answers).toEqual(["made", "shared"]);
    for (const name of ["first", "second"]) expect(await objectsOf(name)).toEqual(await objectsOf("plain"));
  });

  it("differs between a clone with a filter and one without", async () => {
    await sandbox.git(["config", "uploadpack.allowFilter", "true"], { cwd: device.gitDir(REPOSITORY) });
    await clone("without-blobs", "--filter=blob:none");
    await clone("whole");
    expect(answers).toEqual(["made", "made"]);
    expect((await objectsOf("whole")).length).toBeGreaterThan((await objectsOf("without-blobs")).length);
  });

  it("is shared by clients of git http-backend, with the setting in the environment", async () => {
    const packet = (line: string) => (line.length + 4).toString(16).padStart(4, "0") + line;
    const body = [packet("command=fetch"), "0001", packet(`want ${tip}\n`), packet("done\n"), "0000"].join("");
    const env = {
      LOCKSTEP_SOCKET_DIR: device.context.socketDir,
      GIT_CONFIG_COUNT: "1",
      GIT_CONFIG_KEY_0: "uploadpack.packObjectsHook",
      GIT_CONFIG_VALUE_0: join(sandbox.dir, "bin", "lockstep-pack-objects"),
      GIT_PROJECT_ROOT: device.context.root,
      GIT_HTTP_EXPORT_ALL: "1",
      GIT_PROTOCOL: "version=2",
      REQUEST_METHOD: "POST",
      PATH_INFO: `/${REPOSITORY}.git/git-upload-pack`,
      CONTENT_TYPE: "application/x-git-upload-pack-request",
      CONTENT_LENGTH: String(body.length),
    };
    for (const _ of [1, 2])
      expect((await sandbox.run(["http-backend"], { env, input: body })).bytes.toString("latin1")).toContain("PACK");
    expect(answers).toEqual(["made", "shared"]);
  });

  it("has new tags after they were pushed, though the clients want the same commit", async () => {
    await clone("before", "--single-branch");
    const tag = await device.git(
      REPOSITORY,
      ["mktag"],
      `object ${tip}\ntype commit\ntag v1\ntagger A <a@b.c> 1 +0000\n\nx\n`,
    );
    await push("refs/tags/v1", tag);
    await clone("after", "--single-branch");
    await plainClone("plain", "--single-branch");
    expect(await refsOf("after")).toBe(await refsOf("plain"));
    expect(await objectsOf("after")).toContainEqual(expect.stringContaining(tag));
  });

  it("is not made anew because a branch moved that the client does not want", async () => {
    await clone("before", "--single-branch");
    await push("refs/heads/other", tip);
    await clone("after", "--single-branch");
    expect(answers).toEqual(["made", "shared"]);
  });

  it("is shared by clients who have the same part, from the second one on; others get their own", async () => {
    const runners = ["one", "two", "three"];
    for (const name of [...runners, "behind"]) await clone(name);
    const next = await device.commit(REPOSITORY, "next", { parents: [tip] });
    await push("refs/heads/main", next, tip);
    const last = await device.commit(REPOSITORY, "last", { parents: [next] });
    answers = [];
    const fetch = async (name: string) => {
      const words = ["fetch", "--quiet", "--upload-pack", uploadPack, "origin", "+refs/heads/*:refs/heads/*"];
      expect(await client(words, join(sandbox.dir, name))).toMatchObject({ code: 0, stderr: "" });
    };
    await fetch("one");
    await fetch("two");
    await fetch("three");
    expect(answers).toEqual(["alone", "made", "shared"]);
    await push("refs/heads/main", last, next);
    answers = [];
    // Both want the same commit. They have different parts.
    await fetch("one");
    await fetch("behind");
    expect(answers).toEqual(["alone", "alone"]);
    await fetch("two");
    expect(answers.at(-1)).toBe("made");
    for (const name of ["one", "two", "behind"]) {
      await sandbox.git(["fsck", "--strict"], { cwd: join(sandbox.dir, name) });
      expect(await sandbox.git(["rev-parse", "main"], { cwd: join(sandbox.dir, name) })).toBe(last);
    }
  });

  it("reaches all clients while it is made, and the others when the first one leaves", async () => {
    const go = await holdPacks();
    const words = ["clone", "--quiet", "--bare", "--no-local", "--upload-pack", uploadPack, device.gitDir(REPOSITORY)];
    const env = { LOCKSTEP_SOCKET_DIR: device.context.socketDir };
    const first = sandbox.start([...words, "first"], { env });
    await vi.waitFor(() => expect(answers).toEqual(["made"]), SOON);
    const second = clone("second");
    await vi.waitFor(() => expect(answers).toEqual(["made", "shared"]), SOON);
    first.kill("SIGKILL");
    await go();
    await second;
    expect(await packsMade()).toHaveLength(1);
  });

  it("is given up when all who waited for it have left, and the next client gets a new one", async () => {
    const go = await holdPacks();
    const words = ["clone", "--quiet", "--bare", "--no-local", "--upload-pack", uploadPack, device.gitDir(REPOSITORY)];
    const first = sandbox.start([...words, "first"], { env: { LOCKSTEP_SOCKET_DIR: device.context.socketDir } });
    await vi.waitFor(() => expect(answers).toEqual(["made"]), SOON);
    first.kill("SIGKILL");
    await vi.waitFor(async () => expect(await files()).toEqual([]), SOON);
    await go();
    await clone("second");
    expect(answers).toEqual(["made", "made"]);
  });

  it("that git cannot make is an error for each client, is not kept, and tells git's words", async () => {
    const words = ["clone", "--bare", "--no-local", "--upload-pack", uploadPack, device.gitDir(REPOSITORY)];
    const env = { LOCKSTEP_SOCKET_DIR: device.context.socketDir };
    for (const into of ["first", "second"]) {
      const go = join(sandbox.dir, `go-${into}`);
      const wait = `while [ ! -e '${go}' ]; do sleep 0.01; done`;
      // A git that fails before the hook has opened its files is no error: the hook then becomes git's own command.
      await device.beforeGit(`case "$*" in *pack-objects*--stdout*) echo 'no such luck' >&2; ${wait}; exit 128; esac`);
      const cloning = sandbox.start([...words, into], { env });
      const ended = once(cloning, "close");
      let told = "";
      cloning.stderr?.setEncoding("utf8").on("data", (said: string) => {
        told += said;
        if (told.includes("no such luck")) void writeFile(go, "");
      });
      expect(await ended).toEqual([128, null]);
    }
    expect(await files()).toEqual([]);
    await device.beforeGit("");
    await clone("third");
  });

  it("breaks off for clients that have a part of it when the sidecar ends, and nobody gets half a repository", async () => {
    await holdPacks();
    const words = ["clone", "--bare", "--progress", "--no-local", "--upload-pack", uploadPack];
    const env = { LOCKSTEP_SOCKET_DIR: device.context.socketDir };
    const cloning = sandbox.start([...words, device.gitDir(REPOSITORY), "first"], { env });
    const [code] = await Promise.all([
      once(cloning, "exit"),
      (async () => {
        for await (const line of createInterface(cloning.stderr!)) if (line.includes("half way")) break;
        await hooks[Symbol.asyncDispose]();
      })(),
    ]);
    expect(code).toEqual([128, null]);
    await vi.waitFor(async () => expect(await processesAt(device.gitDir(REPOSITORY))).toEqual([]), SOON);
  });

  it("is made by the client's own git when no sidecar answers", async () => {
    await hooks[Symbol.asyncDispose]();
    await clone("first");
    expect(answers).toEqual([]);
  });

  it("is made by the client's own git when a sidecar accepts and says nothing for long", async () => {
    await hooks[Symbol.asyncDispose]();
    const path = join(device.context.socketDir, "hook.sock");
    await rm(path, { force: true });
    const silent = createServer(() => {}).listen(path);
    try {
      await clone("first");
    } finally {
      silent.close();
    }
  });

  it("breaks off when the sidecar hangs in the middle of it", async () => {
    await hooks[Symbol.asyncDispose]();
    const pack = join(sandbox.dir, "pack");
    await writeFile(pack, "PACK");
    await writeFile(`${pack}.words`, "");
    const path = join(device.context.socketDir, "hook.sock");
    await rm(path, { force: true });
    const hung = createServer((socket) => void socket.write(encodeFrames("P", pack))).listen(path);
    try {
      const words = ["clone", "--quiet", "--bare", "--no-local", "--upload-pack", uploadPack];
      expect((await client([...words, device.gitDir(REPOSITORY), "first"])).code).toBe(128);
    } finally {
      hung.close();
    }
  });

  it("is made by the client's own git when the replica is in doubt", async () => {
    device.replica(REPOSITORY).applied = undefined;
    await clone("first");
    expect(answers).toEqual([]);
  });

  it("is made by the client's own git when the repository is larger than the cache", async () => {
    await device.git(REPOSITORY, ["repack", "-adq"]);
    await reopen({ limit: 100 });
    await clone("first");
    expect(answers).toEqual(["alone"]);
    expect(await files()).toEqual([]);
  });

  it("makes room for a newer one, the oldest first, and is gone after its time", async () => {
    await clone("warm");
    const { bytes } = packs;
    // Three packs of this size have no room.
    const limit = Math.ceil(2.5 * bytes);
    await reopen({ limit, keepMs: 3_000 });
    answers = [];
    await clone("whole");
    await clone("shallow", "--depth=2");
    await clone("branch", "--single-branch");
    expect(packs.bytes).toBeLessThanOrEqual(limit);
    await clone("branch-again", "--single-branch");
    await clone("whole-again");
    expect(answers).toEqual(["made", "made", "made", "shared", "made"]);
    await vi.waitFor(async () => expect([packs.bytes, await files()]).toEqual([0, []]), SOON);
  });

  it("of an earlier process is removed when a sidecar starts", async () => {
    await clone("first");
    expect(await files()).toHaveLength(2);
    await reopen({});
    expect(await files()).toEqual([]);
    await reopen({ limit: 0 });
    await clone("second");
    expect(answers.at(-1)).toBe("alone");
  });
});
