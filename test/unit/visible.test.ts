import { describe, expect, it } from "vitest";
import { visible } from "../../src/io/visible.ts";

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
