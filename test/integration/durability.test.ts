import { openSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { makeDirectory, moveDirectory, replaceFile } from "../../src/io/disk.ts";

vi.mock("node:fs", { spy: true });

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "ls-durability-"));
  vi.mocked(openSync).mockClear();
});
afterEach(async () => await rm(dir, { recursive: true }));
/** What has been synced since, as seen from `dir`. */
const synced = () => vi.mocked(openSync).mock.calls.map(([path]) => String(path).slice(dir.length + 1));

it("a directory is made with those above it, each of which is synced where it stands", async () => {
  await makeDirectory(join(dir, "a", "b", "c"));
  expect(await readdir(join(dir, "a", "b"))).toEqual(["c"]);
  expect(synced()).toEqual(["a/b", "a", ""]);
  vi.mocked(openSync).mockClear();
  await makeDirectory(join(dir, "a", "bee"));
  expect(synced()).toEqual(["a"]);
  await makeDirectory(join(dir, "a", "b"));
  expect(synced()).toEqual(["a"]);
});

it("a directory is moved, and synced where it is now before where it was", async () => {
  await makeDirectory(join(dir, "from", "x"));
  vi.mocked(openSync).mockClear();
  await moveDirectory(join(dir, "from", "x"), join(dir, "to", "x"));
  expect(await readdir(join(dir, "to"))).toEqual(["x"]);
  expect(synced()).toEqual(["", "to", "from"]);
});

it("a file is replaced, and nothing is left beside it", async () => {
  const path = join(dir, "file");
  for (const content of ["one", "two"]) {
    await replaceFile(path, content);
    expect(await readFile(path, "utf8")).toBe(content);
    expect(await readdir(dir)).toEqual(["file"]);
  }
});
