import { describe, expect, it } from "vitest";
import { limitOf, namesOf, numberOf, spanMs } from "../../src/cli/terminal/flag-values.ts";

describe("a flag that is a number", () => {
  it("is read up to its bound, and refused above it by name", () => {
    expect(numberOf("--min-copies", "999999", 999_999)).toBe(999_999);
    expect(() => numberOf("--min-copies", "1000000", 999_999)).toThrow(
      '--min-copies must be a number from 0 to 999999, not "1000000".',
    );
  });

  it.each(["", "-1", "1.5", "0x10", "many", "1".repeat(16)])("a number of a flag is refused as %o", (text) => {
    expect(() => numberOf("--before", text)).toThrow("--before must be a number, not ");
  });

  it.each(["0", "1001"])("is no limit of a list as %s", (text) => {
    expect(() => limitOf(text, "read further ones with --before")).toThrow(
      `--limit is from 1 to 1000, not ${text}; read further ones with --before.`,
    );
  });
});

it.each([
  ["90s", 90_000],
  ["30m", 1_800_000],
  ["6h", 21_600_000],
  ["7d", 604_800_000],
  ["7w", undefined],
  ["7", undefined],
  ["h", undefined],
])("the span %s is %o milliseconds", (text, expected) => {
  expect(spanMs(text)).toBe(expected);
});

it("a list of names has no empty ones", () => {
  expect(namesOf("a,,b,")).toEqual(["a", "b"]);
});
