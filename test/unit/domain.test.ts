import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { digestAfter, digestOf, EMPTY_DIGEST } from "../../src/digest.ts";
import {
  displayRef,
  isObjectId,
  isSymbolic,
  nameFromBytes,
  type RefUpdate,
  refName,
  shortHash,
  symbolicTo,
  targetOf,
  toBytes,
  toLatin1,
  valueFromBytes,
  valueFromLatin1,
} from "../../src/domain.ts";
import { deviceName, repositoryName } from "../../src/names.ts";
import { ref, refsFrom } from "../support/refs.ts";

const KEY = Buffer.alloc(32, 7);
const latin1 = fc.string({ unit: fc.integer({ min: 1, max: 255 }).map((byte) => String.fromCharCode(byte)) });
const refsArbitrary = fc
  .array(fc.tuple(latin1, latin1), { maxLength: 8 })
  .map((pairs) => refsFrom(Object.fromEntries(pairs)));

describe("repositoryName", () => {
  it.each(["a", "team/app", "a/b/c", "A-b_c.d+e", "_x", "9", "x".repeat(200), "a.gitx", "lock"])(
    "takes %j as it is",
    (name) => {
      expect(repositoryName(name)).toBe(name);
    },
  );

  it.each([
    ["", "is empty"],
    ["x".repeat(201), "is longer than 200 characters"],
    ["/a", "has a part that is empty"],
    ["a/", "has a part that is empty"],
    ["a//b", "has a part that is empty"],
    [".", 'has a part that begins with "."'],
    ["..", 'has a part that begins with "."'],
    ["a/../b", 'has a part that begins with "."'],
    ["a..b", 'contains ".."'],
    [".hidden", 'has a part that begins with "."'],
    ["-rf", 'has a part that begins with "-"'],
    ["a/-b", 'has a part that begins with "-"'],
    ["+a", 'has a part that begins with "+"'],
    ["a b", "holds a character other than"],
    ["a\n", "holds a character other than"],
    ["a\0", "holds a character other than"],
    ["a\\b", "holds a character other than"],
    ["a:b", "holds a character other than"],
    ["ä", "holds a character other than"],
    ["a.git", 'ending in ".git"'],
    ["a.git/b", 'ending in ".git"'],
    ["a/b.lock", 'ending in ".git", ".lock"'],
    ["a.", 'ending in ".git", ".lock" or "."'],
  ])("refuses %j and says why", (name, why) => {
    expect(() => repositoryName(name)).toThrow(
      expect.objectContaining({ code: "INVALID_NAME", message: expect.stringContaining(why) }),
    );
  });

  it("never lets through a name that leaves its directory", () => {
    const unit = fc.constantFrom(..."ab./\\-~%\0 ");
    fc.assert(
      fc.property(fc.string({ unit }), (name) => {
        const taken = (() => {
          try {
            return repositoryName(name);
          } catch {
            return undefined;
          }
        })();
        if (taken === undefined) return;
        expect(new URL(`file:///srv/git/${taken}.git`).pathname).toBe(`/srv/git/${name}.git`);
        expect(taken.split("/")).not.toContain("..");
      }),
    );
  });
});

describe("deviceName", () => {
  it.each(["a", "repo001", "a-b", "0", "a".repeat(63)])("takes the DNS label %j", (name) => {
    expect(deviceName(name)).toBe(name);
  });

  it.each(["", "-a", "a-", "A", "a.b", "a_b", "a b", "a\n", "ä", "a".repeat(64)])("refuses %j", (name) => {
    expect(() => deviceName(name)).toThrow(expect.objectContaining({ code: "INVALID_NAME" }));
  });
});

describe("isObjectId", () => {
  it("knows SHA-1 and SHA-256 in lower-case hex and nothing else", () => {
    for (const id of ["a".repeat(40), "0".repeat(64)]) expect(isObjectId(id)).toBe(true);
    for (const id of ["", "a".repeat(39), "a".repeat(41), "A".repeat(40), "g".repeat(40), `${"a".repeat(40)}\n`])
      expect(isObjectId(id)).toBe(false);
  });
});

describe("ref names", () => {
  it("survive the way to bytes and back, with any bytes", () => {
    for (const fromBytes of [nameFromBytes, valueFromBytes])
      fc.assert(fc.property(fc.uint8Array(), (bytes) => toBytes(fromBytes(Buffer.from(bytes))!).equals(bytes)));
    expect(valueFromBytes(null)).toBeNull();
  });

  it("are UTF-8 if a person writes them, and are shown as they were written", () => {
    expect(toLatin1(refName("refs/heads/glück"))).toBe("refs/heads/gl\xc3\xbcck");
    fc.assert(
      fc.property(
        fc.string({ unit: "grapheme", maxLength: 20 }),
        (text) => displayRef(refName(text)) === text.replaceAll("\\", "\\x5c"),
      ),
    );
  });

  it("are shown with each byte written out that is not UTF-8", () => {
    expect(displayRef(ref("refs/heads/\xff\xc3(\xe2\x82"))).toBe("refs/heads/\\xff\\xc3(\\xe2\\x82");
  });

  it("are shown so that no two of them look the same", () => {
    expect(displayRef(ref("refs/heads/caf\xe9"))).toBe("refs/heads/caf\\xe9");
    expect(displayRef(ref("refs/heads/caf\\xe9"))).toBe("refs/heads/caf\\x5cxe9");
    const bytes = fc
      .array(fc.constantFrom("\xe9", "\\", "x", "e", "9", "5", "c"), { maxLength: 8 })
      .map((all) => all.join(""));
    fc.assert(
      fc.property(bytes, bytes, (left, right) => left === right || displayRef(ref(left)) !== displayRef(ref(right))),
    );
  });

  it("do not compile where a conversion was forgotten", () => {
    const name = ref("refs/heads/caf\xe9");
    const value = symbolicTo(name);
    const takesText = (text: string) => text;
    // @ts-expect-error a name is no argument of a program
    takesText(name);
    // @ts-expect-error nor is what a symbolic ref holds
    takesText(value);
    // @ts-expect-error nor part of a text
    takesText(`delete ${name}`);
    // @ts-expect-error and no text is a name
    new Set([name]).has("refs/heads/main");
    // @ts-expect-error nor what a ref holds
    const update: RefUpdate = { name, oldValue: null, newValue: "ref: refs/heads/main" };
    // @ts-expect-error and none is like the other
    expect(update.name === "refs/heads/caf\xe9").toBe(true);
  });

  it("can be the values of others", () => {
    const value = symbolicTo(ref("refs/heads/caf\xe9"));
    expect(isSymbolic(value)).toBe(true);
    expect(targetOf(value)).toBe("refs/heads/caf\xe9");
    expect(toBytes(value)).toEqual(Buffer.from("ref: refs/heads/caf\xe9", "latin1"));
    expect(isSymbolic(valueFromLatin1("a".repeat(40)))).toBe(false);
    expect(isSymbolic(null)).toBe(false);
  });
});

describe("the digest", () => {
  it("the digest of no refs is empty", () => {
    expect(digestOf(KEY, new Map())).toEqual(EMPTY_DIGEST);
  });

  it("does not depend on the order of the refs", () => {
    fc.assert(
      fc.property(refsArbitrary, (refs) => {
        expect(digestOf(KEY, new Map([...refs].reverse()))).toEqual(digestOf(KEY, refs));
      }),
    );
  });

  it("follows updates from any refs to any others, and back", () => {
    fc.assert(
      fc.property(refsArbitrary, refsArbitrary, (before, after) => {
        const forth = [...new Set([...before.keys(), ...after.keys()])].map(
          (name): RefUpdate => ({ name, oldValue: before.get(name) ?? null, newValue: after.get(name) ?? null }),
        );
        const back = forth.map(({ name, oldValue, newValue }) => ({ name, oldValue: newValue, newValue: oldValue }));
        expect(digestAfter(KEY, digestOf(KEY, before), forth)).toEqual(digestOf(KEY, after));
        expect(digestAfter(KEY, digestOf(KEY, after), back)).toEqual(digestOf(KEY, before));
      }),
    );
  });

  it("differs by name, value and key, and between what stands left and right of the NUL", () => {
    const digests = [
      digestOf(KEY, refsFrom({ a: "b" })),
      digestOf(KEY, refsFrom({ a: "c" })),
      digestOf(KEY, refsFrom({ c: "b" })),
      digestOf(KEY, refsFrom({ ab: "" })),
      digestOf(Buffer.alloc(32, 8), refsFrom({ a: "b" })),
    ].map((digest) => digest.toString("hex"));
    expect(new Set(digests).size).toBe(digests.length);
    for (const digest of digests) expect(digest).toMatch(/^[0-9a-f]{64}$/);
  });
});

describe("shortHash", () => {
  it("is the same for the same text and 32 hex digits long", () => {
    expect(shortHash("x")).toBe(shortHash("x"));
    expect(shortHash("x")).not.toBe(shortHash("y"));
    expect(shortHash("")).toMatch(/^[0-9a-f]{32}$/);
  });
});
