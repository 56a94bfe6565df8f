import { describe, expect, it } from "vitest";
import { ago } from "../../src/cli/terminal/ago.ts";
import { lookOf, shown, styled, table } from "../../src/cli/terminal/styled.ts";

const PLAIN = { coloured: false, columns: undefined };
const COLOURED = { coloured: true, columns: undefined };
const HEAD = "\x1b[1mname\x1b[22m";

describe("a stream", () => {
  it.each([
    [{}, { isTTY: true, columns: 120 }, { coloured: true, columns: 120 }],
    [{}, { isTTY: true, columns: 0 }, { coloured: true, columns: 80 }],
    [{}, { isTTY: false }, PLAIN],
    [{}, {}, PLAIN],
    [{ TERM: "dumb" }, { isTTY: true, columns: 80 }, { coloured: false, columns: 80 }],
    [{ NO_COLOR: "1" }, { isTTY: true, columns: 80 }, { coloured: false, columns: 80 }],
    [{ NO_COLOR: "" }, { isTTY: true, columns: 80 }, { coloured: true, columns: 80 }],
    [{ NO_COLOR: "1", FORCE_COLOR: "1" }, {}, PLAIN],
    [{ FORCE_COLOR: "1" }, {}, COLOURED],
    [{ FORCE_COLOR: "" }, {}, COLOURED],
    [{ FORCE_COLOR: "0" }, { isTTY: true, columns: 80 }, { coloured: false, columns: 80 }],
  ])("with the environment %j that is %j looks like %j", (env, stream, look) => {
    expect(lookOf(env, stream)).toEqual(look);
  });
});

describe("text", () => {
  const text = `${styled("good", "All is well:")} 3 devices`;

  it("has colours where they are wanted, and no trace of them elsewhere", () => {
    expect(shown(text, COLOURED)).toBe("\x1b[32mAll is well:\x1b[39m 3 devices");
    expect(shown(text, PLAIN)).toBe("All is well: 3 devices");
  });

  it("of strangers does not act on the terminal, whatever is in it", () => {
    const evil = "\x1b[2J\x0e\x0f\x1d\x1e\x1f\x9b";
    const written = "\\x1b[2J\\x0e\\x0f\\x1d\\x1e\\x1f\\x9b";
    for (const look of [PLAIN, COLOURED]) {
      expect(shown(`a ${evil.replaceAll("\x1d", "")}`, look)).toBe(`a ${written.replaceAll("\\x1d", "")}`);
      expect(shown(styled("bad", evil), PLAIN)).toBe(written);
      expect(shown(table(["name"], [[evil], [{ style: "good", text: evil }]]), PLAIN)).toBe(
        `name\n${written}\n${written}`,
      );
    }
  });
});

describe("a table", () => {
  const rows = [
    ["a", { style: "bad" as const, text: "down for 3 min" }],
    ["long-name", "x"],
  ];

  it("has columns below a heading; colours do not widen them", () => {
    expect(shown(table(["name", "state"], rows), PLAIN)).toBe(
      "name       state\na          down for 3 min\nlong-name  x",
    );
    expect(shown(table(["name", "state"], rows), COLOURED)).toBe(
      `${HEAD}       \x1b[1mstate\x1b[22m\na          \x1b[31mdown for 3 min\x1b[39m\nlong-name  x`,
    );
  });

  it("fits a terminal: the widest column goes on in the next line, in its colour", () => {
    const look = { coloured: true, columns: 20 };
    expect(shown(table(["name", "state"], rows), look).split("\n")).toEqual([
      `${HEAD}       \x1b[1mstate\x1b[22m`,
      "a          \x1b[31mdown for\x1b[39m",
      "           \x1b[31m3 min\x1b[39m",
      "long-name  x",
    ]);
  });

  it("of eighty columns has no longer line, as long as its words are short", () => {
    const sentence = "the certificate of this device ends in three days and nobody has renewed it so far";
    const wide = table(["check", "what", "remedy"], Array(3).fill(["certificate", sentence, sentence]));
    const lines = shown(wide, { coloured: false, columns: 80 }).split("\n");
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(lines.length).toBeGreaterThan(6);
    expect(shown(wide, PLAIN).split("\n")).toHaveLength(4);
  });

  it("breaks no word: names and ids can be copied", () => {
    const id = "f".repeat(64);
    expect(shown(table(["id"], [[`${id} and more`]]), { coloured: false, columns: 40 })).toBe(`id\n${id}\nand more`);
  });
});

describe("a time", () => {
  const now = Date.parse("2026-11-30T12:00:00Z");
  it.each([
    [0, "just now"],
    [-5_000, "just now"],
    [2_000, "2 s ago"],
    [99_000, "99 s ago"],
    [180_000, "3 min ago"],
    [2 * 3_600_000, "2 h ago"],
    [3 * 86_400_000, "3 days ago"],
    [30 * 86_400_000, "on 2026-10-31"],
  ])("%i ms before is %s", (ms, text) => {
    expect(ago(new Date(now - ms), now)).toBe(text);
  });
});
