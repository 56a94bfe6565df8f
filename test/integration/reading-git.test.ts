// The git that reads objects: when it ends, when it is replaced, and what it still answers.
import { mkdir, readdir, rename, stat, utimes } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { readers, withReader } from "../support/short-walk-reader.ts";
import { soon } from "../support/soon.ts";

describe("the git that reads", () => {
  it("ends when nobody has asked for a moment", async () => {
    await using repo = await withReader({ idleMs: 50 });
    await repo.isWhole([repo.base]);
    await vi.waitFor(async () => expect(await readers(repo)).toEqual([]), soon());
    expect(await repo.isWhole([repo.base])).toBe(true);
  });

  it("is replaced when it has been killed, and when the directory is another one", async () => {
    await using repo = await withReader();
    await repo.isWhole([repo.base]);
    const [pid] = await readers(repo);
    process.kill(Number(pid), "SIGKILL");
    await vi.waitFor(async () => expect(await readers(repo)).toEqual([]), soon());
    expect(await repo.isWhole([repo.base])).toBe(true);
    await rename(repo.dir, `${repo.dir}.moved`);
    await mkdir(repo.dir);
    await repo.git(["init", "--quiet", "--bare", "--initial-branch=main", "."]);
    expect(await repo.isWhole([repo.base], [repo.base])).toBe(false);
    const before = { dir: `${repo.dir}.moved` };
    await vi.waitFor(async () => expect(await readers(before)).toEqual([]), soon());
  });

  it("gives the answers that it was asked for before it ends", async () => {
    await using repo = await withReader();
    const asked = Array.from({ length: 50 }, () => repo.isWhole([repo.base]));
    repo.kept.end();
    expect(new Set(await Promise.all(asked))).toEqual(new Set([true]));
  });

  it("finds objects that came in a pack after its start", async () => {
    await using repo = await withReader();
    await repo.isWhole([repo.base]);
    const one = await repo.commitOf(repo.root, [repo.base]);
    await repo.git(["pack-objects", "-q", "objects/pack/pack"], `${one}\n`);
    await repo.lose(one);
    // Some file systems keep the times of directories in steps.
    const packs = join(repo.dir, "objects", "pack");
    expect((await readdir(packs)).length).toBeGreaterThan(0);
    await utimes(packs, new Date(), (await stat(packs)).mtime);
    expect(await repo.isWhole([one])).toBe(true);
  });
});
