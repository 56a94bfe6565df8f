// What uploads that broke off leave on disk, and what only looks like it.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { access, lutimes, mkdir, readdir, symlink, utimes, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { sweepUploads } from "../../src/git/beside/uploads.ts";
import { type GitSandbox, gitSandbox } from "../support/git.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change, SOON } from "../support/sync-device.ts";

const APP = "team/app";
const HOUR_MS = 3_600_000;

async function file(path: string, content: string, ageMs: number): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
  const at = new Date(Date.now() - ageMs);
  for (const each of [path, dirname(path), dirname(dirname(path))]) await utimes(each, at, at);
}

/** An old quarantine and an old .keep, as a killed receive-pack leaves them. */
async function leave(gitDir: string, ageMs = 2 * HOUR_MS): Promise<void> {
  await file(join(gitDir, "objects/tmp_objdir-incoming-abc/pack/tmp_pack_1"), "PACK", ageMs);
  await file(join(gitDir, "objects/pack/pack-1.keep"), "receive-pack 4711 on somewhere\n", ageMs);
}

const left = async (gitDir: string) => {
  const entries = await readdir(join(gitDir, "objects"), { recursive: true });
  return entries.filter((name) => /^tmp_objdir-[^/]+$|\.keep$/.test(name)).sort();
};

const BOTH = ["pack/pack-1.keep", "tmp_objdir-incoming-abc"];

/** A receive-pack that waits in its pre-receive hook. */
async function waitingPush(sandbox: GitSandbox, bare: string): Promise<ChildProcess> {
  const work = await sandbox.workTree("work");
  await sandbox.commit(work, "one", { file: "content" });
  const waiting = join(sandbox.dir, "waiting");
  await writeFile(join(bare, "hooks/pre-receive"), `#!/bin/sh\ntouch '${waiting}'\nexec sleep 1000\n`, { mode: 0o755 });
  const push = spawn("git", ["push", "--quiet", bare, "HEAD:refs/heads/main"], {
    cwd: work,
    env: sandbox.env,
    detached: true,
    stdio: "ignore",
  });
  await vi.waitFor(() => access(waiting), SOON);
  return push;
}

describe("the leftovers of uploads that broke off", () => {
  it("is removed once nothing has touched it for an hour", async () => {
    await using sandbox = await gitSandbox();
    const bare = await sandbox.bare("app.git");
    await leave(bare, HOUR_MS / 2);
    expect(await sweepUploads(bare)).toEqual([]);
    expect(await left(bare)).toEqual(BOTH);
    await leave(bare);
    expect((await sweepUploads(bare)).sort()).toEqual(BOTH.map((each) => `objects/${each}`));
    expect(await left(bare)).toEqual([]);
  });

  it("is removed with the symbolic links that somebody put into it", async () => {
    await using sandbox = await gitSandbox();
    const bare = await sandbox.bare("app.git");
    await leave(bare);
    const quarantine = join(bare, "objects/tmp_objdir-incoming-abc");
    await symlink("loop", join(quarantine, "loop"));
    const old = new Date(Date.now() - 2 * HOUR_MS);
    await lutimes(join(quarantine, "loop"), old, old);
    await utimes(quarantine, old, old);
    expect((await sweepUploads(bare)).sort()).toEqual(BOTH.map((each) => `objects/${each}`));
  });

  it("stays while something in it is young, and where it is an operator's own", async () => {
    await using sandbox = await gitSandbox();
    const bare = await sandbox.bare("app.git");
    await leave(bare);
    await writeFile(join(bare, "objects/tmp_objdir-incoming-abc/pack/tmp_pack_1"), "PACK and more");
    await file(join(bare, "objects/pack/pack-1.keep"), "kept by olga\n", 2 * HOUR_MS);
    await file(join(bare, "objects/pack/pack-2.keep"), "", 2 * HOUR_MS);
    expect(await sweepUploads(bare)).toEqual([]);
    expect(await left(bare)).toHaveLength(3);
  });

  it("stays while a receive-pack is at work in the repository, however old it is", async () => {
    await using sandbox = await gitSandbox();
    const bare = await sandbox.bare("app.git");
    const other = await sandbox.bare("other.git");
    const push = await waitingPush(sandbox, bare);
    try {
      for (const gitDir of [bare, other]) await leave(gitDir);
      expect(await sweepUploads(bare, 0)).toEqual([]);
      expect(await left(bare)).toHaveLength(3);
      expect(await sweepUploads(other, 0)).toHaveLength(2);
    } finally {
      process.kill(-push.pid!, "SIGKILL");
      await once(push, "exit");
    }
    await vi.waitFor(async () => expect(await sweepUploads(bare, 0)).toHaveLength(3), SOON);
    expect(await left(bare)).toEqual([]);
  });

  it("is removed when the next upload begins, or has come, without a restart", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await cluster.pair(APP);
    const [one] = await a.history(APP);
    await leave(a.gitDir(APP));
    // It has been looked at when it was made.
    a.replica(APP).uploadsSweptAt = undefined;
    await a.push(APP, [change("main", null, one)]);
    await vi.waitFor(async () => expect(await left(a.gitDir(APP))).toEqual([]), SOON);
    await leave(a.gitDir(APP));
    a.replica(APP).uploadsSweptAt = undefined;
    await a.read(APP);
    expect(await left(a.gitDir(APP))).toEqual(BOTH);
    await a.read(APP, { forPush: true });
    await vi.waitFor(async () => expect(await left(a.gitDir(APP))).toEqual([]), SOON);
  });
});
