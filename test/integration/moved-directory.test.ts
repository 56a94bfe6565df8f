// The directory of a replica moves while something works in it: its repository is removed or renamed. What works there
// goes on in the moved directory or fails, and makes nothing at the old path. Another repository may get that place.
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, rename, stat } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { describe, expect, it, vi } from "vitest";
import { symbolicTo } from "../../src/domain.ts";
import { QUARANTINE_PREFIX } from "../../src/git/objects/quarantine.ts";
import { receivePack } from "../../src/git/objects/receive-pack.ts";
import { recordPackedAll } from "../../src/git/packs/pack-need.ts";
import { viewPacks } from "../../src/git/packs/pack-view.ts";
import { noteUnsettled } from "../../src/git/packs/packs.ts";
import { setSymbolicRef } from "../../src/git/refs/symbolic-refs.ts";
import { ensureHook } from "../../src/git/replica/repository.ts";
import { KeptGit } from "../../src/git/transactions/kept-git.ts";
import { StartedTransaction } from "../../src/git/transactions/started-transaction.ts";
import { UpdateRef } from "../../src/git/transactions/update-ref.ts";
import { makeDirectoryBelow } from "../../src/io/disk.ts";
import { type Repository, repository } from "../support/ref-sandbox.ts";
import { ref } from "../support/refs.ts";
import { SOON } from "../support/sync-device.ts";

const never = new AbortController().signal;

/** Moves the directory of a repository. Returns its new path. */
async function move({ dir }: Repository): Promise<string> {
  await rename(dir, `${dir}.moved`);
  return `${dir}.moved`;
}

/** Returns the names of quarantines and of views for gc. */
async function temporary(dir: string): Promise<string[]> {
  return (await readdir(join(dir, "objects"))).filter((name) => name.startsWith(QUARANTINE_PREFIX));
}

describe("a directory that moves", () => {
  it("takes along the git that has begun to change its refs", async () => {
    await using repo = await repository();
    const { context, dir, one, sandbox } = repo;
    const git = new UpdateRef(context, dir, {});
    git.send("start\0");
    expect(await git.answer("start")).toBe(true);
    const moved = await move(repo);
    git.send(`update refs/lockstep/staged/1/0\0${one}\0\0prepare\0commit\0`);
    expect(await git.answer("prepare")).toBe(true);
    expect(await git.answer("commit")).toBe(true);
    git.close();
    expect(existsSync(dir)).toBe(false);
    expect(await sandbox.git(["rev-parse", "refs/lockstep/staged/1/0"], { cwd: moved })).toBe(one);
  });

  it("leaves no git that was started in it to the directory that comes to its place", async () => {
    await using repo = await repository();
    const { context, dir } = repo;
    await using started = new StartedTransaction(context, dir, { kept: new KeptGit() });
    await move(repo);
    await repo.sandbox.git(["init", "--quiet", "--bare", dir]);
    expect(started.take(dir, 1)).toBeUndefined();
  });

  it("takes along a pack that is half received", async () => {
    await using repo = await repository();
    const { context, dir, sandbox } = repo;
    const source = await sandbox.workTree("source");
    const tip = await sandbox.commit(source, "one", { file: randomBytes(200_000) });
    const packing = { cwd: source, input: `${tip}\n` };
    const { bytes } = await sandbox.run(["pack-objects", "--stdout", "-q", "--revs"], packing);
    const pack = Readable.from(
      (async function* () {
        yield bytes.subarray(0, 100_000);
        await vi.waitFor(async () => expect(await received(dir)).toBeGreaterThan(50_000), SOON);
        await move(repo);
        yield bytes.subarray(100_000);
      })(),
    );
    await expect(receivePack(context, dir, { pack, wants: [tip], haves: [], signal: never })).rejects.toThrow();
    expect(existsSync(dir)).toBe(false);
    expect(await temporary(`${dir}.moved`)).toEqual([]);
  });

  it("keeps nothing of a gc that was under way", async () => {
    await using repo = await repository();
    const view = await viewPacks(repo.dir);
    expect(await temporary(repo.dir)).toHaveLength(1);
    const moved = await move(repo);
    await view[Symbol.asyncDispose]();
    expect(await temporary(moved)).toEqual([]);
  });

  it("keeps what another repository makes at its old place", async () => {
    await using repo = await repository();
    const view = await viewPacks(repo.dir);
    await move(repo);
    await mkdir(view.path, { recursive: true });
    await view[Symbol.asyncDispose]();
    expect(existsSync(view.path)).toBe(true);
  });

  it.each<[string, (repo: Repository) => Promise<unknown>]>([
    ["the note about packs", ({ dir }) => noteUnsettled(dir, ["pack-12"])],
    ["the note about a gc", ({ dir }) => recordPackedAll(dir, 1, "1")],
    ["a hook", ({ dir }) => ensureHook(dir, "/bin/true")],
    [
      "an alias",
      ({ context, dir }) => setSymbolicRef(context, dir, ref("refs/heads/a/b"), symbolicTo(ref("refs/heads/main"))),
    ],
  ])("is not made anew for %s", async (_, write) => {
    await using repo = await repository();
    await move(repo);
    await expect(write(repo)).rejects.toMatchObject({ code: "ENOENT" });
    expect(existsSync(repo.dir)).toBe(false);
  });
});

it("directories are made below a directory, by the bytes of their names, and may be there already", async () => {
  await using repo = await repository();
  const deep = Buffer.from("caf\xe9/deep", "latin1");
  for (let time = 0; time < 2; time += 1) await makeDirectoryBelow(repo.dir, deep);
  const path = Buffer.concat([Buffer.from(`${repo.dir}/`), deep]);
  expect((await stat(path)).isDirectory()).toBe(true);
  await expect(makeDirectoryBelow(repo.dir, "HEAD/below")).rejects.toMatchObject({ code: "ENOTDIR" });
});

/** Returns how much of a pack git has written into the quarantine of a repository. */
async function received(dir: string): Promise<number> {
  const files = await readdir(join(dir, "objects"), { recursive: true });
  const pack = files.find((name) => name.includes("tmp_pack_"));
  return pack === undefined ? 0 : (await stat(join(dir, "objects", pack))).size;
}
