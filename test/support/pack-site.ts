// A device with a replica and a cache of packs, and clients whose git server asks for packs there
// (../integration/shared-packs*.test.ts).
import { mkdir, readdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect } from "vitest";
import { type HookServer, serveHooks } from "../../src/hook/server.ts";
import { PackCache, type PackCacheOptions } from "../../src/pack-cache/pack-cache.ts";
import { script } from "./gate-site.ts";
import { type GitSandbox, gitSandbox, type RunResult } from "./git.ts";
import { update } from "./refs.ts";
import { NATIVE } from "./shim-site.ts";
import { TestCluster } from "./sync-cluster.ts";
import type { TestDevice } from "./sync-device.ts";

export const REPOSITORY = "team/app";
const MIB = 1 << 20;

// `startPackSite` sets these before each test of its file.
let cluster: TestCluster;
export let device: TestDevice;
export let sandbox: GitSandbox;
export let hooks: HookServer;
export let packs: PackCache;
export let tip: string;
/** How each request was answered. */
export let answers: string[];
/** Starts the git server of a client. */
export let uploadPack: string;

/** Starts the device before each test of the calling `describe`, and stops it afterwards. */
export function startPackSite(): void {
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
}

/** Starts the server of the shims with an empty cache. */
async function open(options: Partial<PackCacheOptions> = {}): Promise<void> {
  const { root, git, log, signal } = device.context;
  const count = (how: string) => void answers.push(how);
  packs = await PackCache.open({ root, git, limit: 64 * MIB, log, signal, count, ...options });
  await mkdir(device.context.socketDir, { recursive: true });
  hooks = await serveHooks(device.context, join(device.context.socketDir, "hook.sock"), packs);
}

/** Starts the server of the shims again, with an empty cache. */
export async function reopen(options: Partial<PackCacheOptions>): Promise<void> {
  await hooks[Symbol.asyncDispose]();
  await open(options);
}

/** Pushes a ref to the replica. */
export async function push(name: string, newValue: string, oldValue: string | null = null): Promise<void> {
  const report = await device.push(REPOSITORY, [update(name, oldValue, newValue)]);
  expect(Object.values(report)).toEqual([null]);
}

/** Runs git as a client of the device. */
export async function client(args: readonly string[], cwd = sandbox.dir): Promise<RunResult> {
  return await sandbox.run(args, { cwd, env: { LOCKSTEP_SOCKET_DIR: device.context.socketDir } });
}

/** Clones through the cache, and expects a whole repository. */
export async function clone(into: string, ...options: string[]): Promise<void> {
  const words = ["clone", "--quiet", "--bare", "--no-local", "--upload-pack", uploadPack, ...options];
  const result = await client([...words, "--", device.gitDir(REPOSITORY), into]);
  expect(result).toMatchObject({ code: 0, stderr: expect.stringMatching(/^(remote: half way +\n)?$/) });
  await sandbox.git(["fsck", "--strict"], { cwd: join(sandbox.dir, into) });
}

/** Clones without the cache. */
export async function plainClone(into: string, ...options: string[]): Promise<void> {
  await sandbox.git([
    ...["clone", "--quiet", "--bare", "--no-local", ...options, "--"],
    ...[device.gitDir(REPOSITORY), into],
  ]);
}

export const objectsOf = async (clone: string) => {
  const args = ["cat-file", "--batch-all-objects", "--batch-check", "--unordered"];
  return (await sandbox.git(args, { cwd: join(sandbox.dir, clone) })).split("\n").sort();
};
export const refsOf = async (clone: string) => await sandbox.git(["for-each-ref"], { cwd: join(sandbox.dir, clone) });
export const packsMade = async () =>
  (await device.gitCommands()).filter((each) => / pack-objects .*--stdout/.test(` ${each}`));
export const files = async () => (await readdir(join(device.context.root, ".lockstep", "packs"))).sort();

/** The pack that the sidecar makes stops after some bytes, until `go` is called. */
export async function holdPacks(): Promise<() => Promise<void>> {
  const [real, whole, gate] = ["real-git", "whole", "go"].map((name) => join(sandbox.dir, name));
  await symlink(`${await sandbox.git(["--exec-path"])}/git`, real!);
  await device.beforeGit(`
case "$*" in *pack-objects*--stdout*)
  '${real}' "$@" >'${whole}' || exit
  head -c 100 '${whole}'; echo 'half way' >&2; while [ ! -e '${gate}' ]; do sleep 0.01; done; tail -c +101 '${whole}'; exit
esac`);
  return async () => await writeFile(gate!, "");
}
