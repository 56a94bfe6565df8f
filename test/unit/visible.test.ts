import { describe, expect, it } from "vitest";
import { visible, visibleJson, visibleLines } from "../../src/io/visible.ts";

describe("visible", () => {
  it.each([
    ["ada", "ada"],
    ["Ada Lovelace <ada@example.org> – 艾达 👩‍💻", "Ada Lovelace <ada@example.org> – 艾达 👩‍💻"],
    ["\x1b[2J\x1b]0;owned\x07", "\\x1b[2J\\x1b]0;owned\\x07"],
    ["two\nlines\r\tand\0more", "two\\nlines\\r\\tand\\x00more"],
    ["\x7f\x9b31m", "\\x7f\\x9b31m"],
    ["admin\u202egnp.exe\u2066", "admin\\u202egnp.exe\\u2066"],
  ])("shows %j as %j", (text, shown) => {
    expect(visible(text)).toBe(shown);
  });

  it("leaves nothing that acts on a terminal, of all characters there are", () => {
    const all = Array.from({ length: 0x3000 }, (_, code) => String.fromCharCode(code)).join("");
    expect(visible(all)).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/u);
  });
});

describe("visibleLines", () => {
  it("keeps the ends of lines and tabs, and nothing else that acts on a terminal", () => {
    expect(visibleLines("a\tb\nc\u202ed\x1b[2Je\r\x9b")).toBe("a\tb\nc\\u202ed\\x1b[2Je\\r\\x9b");
  });
});

describe("visibleJson", () => {
  it("has the same texts for a reader, and no character that acts on a terminal", () => {
    const document = { author: "admin\u202egnp.exe \x1b[2J\x9b31m\x7f", 艾达: ["two\nlines\u2028"] };
    const shown = visibleJson(`${JSON.stringify(document)}\n`);
    expect(JSON.parse(shown)).toEqual(document);
    expect(shown.trimEnd()).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/u);
    expect(shown).toContain("艾达");
    expect(shown.endsWith("}\n")).toBe(true);
  });
});
