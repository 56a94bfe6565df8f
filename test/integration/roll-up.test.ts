import { readdir, rm, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it, vi } from "vitest";
import { sweep } from "../../src/git/beside/leftovers.ts";
import { rollUpPacks } from "../../src/git/packs/roll-up-packs.ts";
import type { GitContext } from "../../src/git/process.ts";
import { type GitSandbox, gitSandbox } from "../support/git.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change, SOON } from "../support/sync-device.ts";

interface Fixture extends AsyncDisposable {
  readonly sandbox: GitSandbox;
  readonly context: GitContext;
  readonly dir: string;
  /** Makes a pack of blobs, which no ref reaches, with these contents; its name without an ending. */
  pack(...contents: string[]): Promise<string>;
  /** The names of all packs, without endings. */
  packs(): Promise<string[]>;
  /** The ids of all objects in packs. */
  packed(): Promise<Set<string>>;
  rollUp(limit: number, signal?: AbortSignal): Promise<number>;
}

async function fixture(): Promise<Fixture> {
  const sandbox = await gitSandbox();
  const dir = await sandbox.bare('"ü\\.git');
  const context = { path: sandbox.env.PATH!, home: sandbox.dir, lockFd: null };
  const directory = join(dir, "objects", "pack");
  const packs = async () =>
    (await readdir(directory)).filter((file) => file.endsWith(".idx")).map((file) => file.slice(0, -4));
  return {
    sandbox,
    context,
    dir,
    packs,
    async pack(...contents) {
      const ids = await Promise.all(
        contents.map((input) => sandbox.git(["hash-object", "-w", "--stdin"], { cwd: dir, input })),
      );
      const input = `${ids.join("\n")}\n`;
      const hash = await sandbox.git(["pack-objects", "-q", join(directory, "pack")], { cwd: dir, input });
      await sandbox.git(["prune-packed"], { cwd: dir });
      return `pack-${hash}`;
    },
    async packed() {
      const lists = (await packs()).map((name) =>
        sandbox.git(["verify-pack", "-v", join(directory, `${name}.idx`)], { cwd: dir }),
      );
      return new Set((await Promise.all(lists)).flatMap((list) => list.match(/^[0-9a-f]{40}/gm) ?? []));
    },
    rollUp: (limit, signal = new AbortController().signal) => rollUpPacks(context, dir, limit, signal),
    [Symbol.asyncDispose]: () => sandbox[Symbol.asyncDispose](),
  };
}

it("makes one pack of many small ones, which holds every object, also what nothing reaches", async () => {
  await using f = await fixture();
  for (let index = 0; index < 5; index += 1) await f.pack(`a${index}`, `b${index}`);
  const before = await f.packed();
  expect(await f.rollUp(5)).toBe(5);
  expect(await f.packs()).toHaveLength(1);
  expect(await f.packed()).toEqual(before);
  expect(before.size).toBe(10);
  expect((await f.sandbox.run(["fsck", "--full", "--strict"], { cwd: f.dir })).code).toBe(0);
});

it("leaves few packs alone, and leaves a large pack beside small ones", async () => {
  await using f = await fixture();
  const large = await f.pack(...Array.from({ length: 20 }, (_, index) => `large ${index}`));
  const small = [await f.pack("a"), await f.pack("b"), await f.pack("c")];
  expect(await f.rollUp(5)).toBe(0);
  expect((await f.packs()).sort()).toEqual([large, ...small].sort());
  expect(await f.rollUp(4)).toBe(3);
  const left = await f.packs();
  expect(left).toHaveLength(2);
  expect(left).toContain(large);
});

it("does not touch a pack that is being received, nor packs that somebody lists by name", async () => {
  await using f = await fixture();
  const kept = await f.pack("kept");
  await writeFile(join(f.dir, "objects", "pack", `${kept}.keep`), "receive-pack 1 on here\n");
  const others = [await f.pack("a"), await f.pack("b"), await f.pack("c")];
  await f.sandbox.git(["multi-pack-index", "write"], { cwd: f.dir });
  expect(await f.rollUp(2)).toBe(0);
  expect((await f.packs()).sort()).toEqual([kept, ...others].sort());
  await rm(join(f.dir, "objects", "pack", "multi-pack-index"));
  expect(await f.rollUp(2)).toBe(3);
  const left = await f.packs();
  expect(left).toHaveLength(2);
  expect(left).toContain(kept);
});

it("takes nothing away when git cannot read a pack, or is told to stop", async () => {
  await using f = await fixture();
  const packs = [await f.pack("a"), await f.pack("b"), await f.pack("c")];
  await expect(f.rollUp(3, AbortSignal.abort(new Error("stop")))).rejects.toThrow("stop");
  const damaged = join(f.dir, "objects", "pack", `${packs[0]}.pack`);
  await rm(damaged);
  await writeFile(damaged, "no pack");
  await expect(f.rollUp(3)).rejects.toMatchObject({ code: "GIT_FAILED" });
  expect((await f.packs()).sort()).toEqual([...packs].sort());
});

it("removes after a day the files that a kill in the middle of it left", async () => {
  await using f = await fixture();
  const left = (name: string) => join(f.dir, "objects", "pack", name);
  for (const name of ["tmp_pack_young", "tmp_pack_old", "tmp_idx_old"]) await writeFile(left(name), "half a pack");
  const yesterday = new Date(Date.now() - 25 * 60 * 60 * 1000);
  for (const name of ["tmp_pack_old", "tmp_idx_old"]) await utimes(left(name), yesterday, yesterday);
  const removed = await sweep(f.dir, 0);
  expect(removed.sort()).toEqual(["objects/pack/tmp_idx_old", "objects/pack/tmp_pack_old"]);
  expect(await readdir(left(""))).toEqual(["tmp_pack_young"]);
});

it("keeps the packs of a replica few that follows many pushes", async () => {
  await using cluster = await TestCluster.make();
  const [a, b] = await cluster.pair("app");
  let tip: string | null = null;
  for (let push = 0; push < 80; push += 1) {
    const next: string = await a.commit("app", `commit ${push}`, { parents: tip === null ? [] : [tip] });
    expect(await a.push("app", [change("main", tip, next)])).toEqual({ "refs/heads/main": null });
    await b.read("app");
    tip = next;
  }
  const packs = async () =>
    (await readdir(join(b.gitDir("app"), "objects", "pack"))).filter((file) => file.endsWith(".pack"));
  await vi.waitFor(async () => expect((await packs()).length).toBeLessThan(50), SOON);
  // It is said when the last of the old ones has gone.
  await vi.waitFor(() => expect(b.logged.map(({ msg }) => msg)).toContain("rolled packs up into one"), SOON);
  await b.expectInLockstep("app");
  await b.git("app", ["fsck", "--full", "--strict"]);
});
