import { mkdtemp, open, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { checkRootLength, checkRootNames, ROOT_LIMIT } from "../../src/git/root/root-names.ts";

vi.mock("node:fs/promises", { spy: true });

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "ls-names-"));
});
afterEach(async () => {
  vi.mocked(open).mockRestore();
  await rm(dir, { recursive: true });
});

/** The disk takes a name only as `stored` has it; null: not at all, for the reason `code`. */
async function disk(stored: (name: Buffer) => Buffer | null, code = "EINVAL"): Promise<void> {
  const { open: real } = await vi.importActual<typeof import("node:fs/promises")>("node:fs/promises");
  vi.mocked(open).mockImplementation(async (path, ...rest) => {
    const bytes = Buffer.from(path as Buffer);
    const slash = bytes.lastIndexOf("/") + 1;
    const name = stored(bytes.subarray(slash));
    if (name === null) throw Object.assign(new Error(`${code}: refused`), { code });
    return await real(Buffer.concat([bytes.subarray(0, slash), name]), ...rest);
  });
}

const isUtf8 = (name: Buffer) => Buffer.from(name.toString()).equals(name);

describe("the disk of a root", () => {
  it("is accepted and left unchanged if it takes any bytes and tells all names apart", async () => {
    await checkRootNames(dir);
    expect(await readdir(dir)).toEqual([]);
  });

  it.each<[string, (name: Buffer) => Buffer | null, string, RegExp]>([
    [
      "upper case for lower case",
      (name) => Buffer.from(name.toString("latin1").toLowerCase(), "latin1"),
      "",
      /upper case/,
    ],
    [
      "one accent for another",
      (name) => (isUtf8(name) ? Buffer.from(name.toString().normalize("NFC")) : name),
      "",
      /accent/,
    ],
    [
      "what it writes for what it is given",
      (name) => (isUtf8(name) ? Buffer.from(name.toString().normalize("NFD")) : name),
      "",
      /accent/,
    ],
    ["UTF-8 only", (name) => (isUtf8(name) ? name : null), "EILSEQ", /not UTF-8/],
    ["UTF-8 only, which it rewrites", (name) => Buffer.from(name.toString()), "", /not UTF-8/],
    ["143 bytes at most", (name) => (name.length > 143 ? null : name), "ENAMETOOLONG", /no name of 245 bytes/],
  ])("the disk of a root that takes %s is refused, with what to do", async (_, stored, code, why) => {
    await disk(stored, code);
    await expect(checkRootNames(dir)).rejects.toMatchObject({
      code: "PREREQUISITE_MISSING",
      message: expect.stringMatching(why),
    });
    await expect(checkRootNames(dir)).rejects.toThrow(/put --root on another one, such as ext4/);
    expect(await readdir(dir)).toEqual([]);
  });

  it("passes the check of names when it is full", async () => {
    await disk(() => null, "ENOSPC");
    await expect(checkRootNames(dir)).rejects.toMatchObject({ code: "ENOSPC" });
    expect(await readdir(dir)).toEqual([]);
  });
});

describe("the path of a root", () => {
  it("may have so many bytes and no more", () => {
    checkRootLength(`/${"ü".repeat((ROOT_LIMIT - 2) / 2)}x`);
    expect(() => checkRootLength(`/${"ü".repeat(ROOT_LIMIT / 2)}`)).toThrow(
      expect.objectContaining({
        code: "PREREQUISITE_MISSING",
        message:
          "The path of the root has 2001 bytes, and at most 2000 leave room for every ref; choose a shorter --root.",
      }),
    );
  });
});
