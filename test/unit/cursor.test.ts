import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { HELD_LIMIT, readCursor, writeCursor } from "../../src/sync/watch/cursor.ts";
import { checkPatterns, likePatterns } from "../../src/sync/watch/name-patterns.ts";

const LAST = 10n ** 18n - 1n;

describe("a cursor", () => {
  it("gives back the position that was written into it", () => {
    const position = fc.bigInt({ min: 0n, max: LAST });
    fc.assert(
      fc.property(position, fc.uniqueArray(position, { maxLength: HELD_LIMIT }), (last, positions) => {
        const held = positions.filter((each) => each <= last);
        const rows = held.map((each) => ({ repositoryId: "", version: 1n, position: each }));
        const sorted = [...held].sort((a, b) => (a < b ? -1 : 1));
        expect(readCursor(writeCursor(last, rows))).toEqual({ position: last, held: sorted });
      }),
    );
  });

  it("a cursor with too many repositories is refused", () => {
    const held = Array.from({ length: HELD_LIMIT + 1 }, (_, index) => index + 1);
    expect(() => readCursor(`1.1000-${held.join(".")}`)).toThrow("is no cursor");
  });
});

describe("names and globs", () => {
  it("become patterns in which only * and ? are special", () => {
    expect(likePatterns(["team/app", "a_b*", "x?y%\\"])).toEqual(["team/app", "a\\_b%", "x_y\\%\\\\"]);
  });

  it.each(["", "../x", "team app", "te*am app", "x".repeat(201), `${"x".repeat(201)}*`, "a\0*", "%*"])(
    "%j is refused",
    (name) => {
      expect(() => checkPatterns([name])).toThrow(expect.objectContaining({ code: "INVALID_NAME" }));
    },
  );

  it("names and globs are at most a hundred", () => {
    const names = Array.from({ length: 101 }, (_, index) => `r${index}`);
    expect(() => checkPatterns(names)).toThrow(expect.objectContaining({ code: "INVALID_REQUEST" }));
    expect(checkPatterns(names.slice(1))).toHaveLength(100);
  });
});
