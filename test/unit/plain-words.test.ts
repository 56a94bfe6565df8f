import { describe, expect, it } from "vitest";
// @ts-expect-error: a plain program, which runs without a build.
import { allowance, breaches, proseOf, tooMany } from "../../scripts/plain-words.mjs";

const found = (path: string, text: string): string[] =>
  breaches(proseOf(path, text)).map(({ line, rule }: { line: number; rule: string }) => `${line} ${rule}`);
const words = (number: number) => Array.from({ length: number }, () => "w").join(" ");

describe("a sentence", () => {
  it("has at most 25 words, however many lines it takes", () => {
    expect(found("a.ts", `// ${words(25)}.\n`)).toEqual([]);
    expect(found("a.ts", `const a = 1;\n// Fine. ${words(12)}\n// ${words(14)}. Fine.\n`)).toEqual(["2 length"]);
    expect(found("a.md", `Fine.\n\n${words(20)}; ${words(6)}.\n`)).toEqual(["3 length"]);
  });

  it("ends with its paragraph, its item or its docstring", () => {
    expect(found("a.md", `${words(20)}\n\n${words(20)}\n- ${words(20)}\n- ${words(20)}\n`)).toEqual([]);
    expect(found("a.ts", `/** ${words(20)} */\n/** ${words(20)} */\n`)).toEqual([]);
  });

  it("counts a span of code as one word, and an address as none", () => {
    expect(
      found("a.md", `${words(23)} \`lockstep repo create team/app. Now\` [here](https://example.org/a b c).\n`),
    ).toEqual([]);
  });
});

describe("the subject", () => {
  it.each([
    "Whoever asks first is served.",
    "It is late; whatever is left goes.",
    "What is kept of it stays here.",
    "What the log has are names.",
    "What this device holds is not asked for.",
    "Who packs needs a compiler.",
    "Who may have certificates of it is a device.",
    "It ends: what nobody has may be given up.",
    "What they write to needs a path.",
  ])("is a named thing: %s", (text) => {
    expect(found("a.sql", `-- ${text}\n`)).toEqual(["1 subject"]);
  });

  it.each([
    "What is a device?",
    "Who may push? Anybody.",
    "It serves whoever asks.",
    "Nobody knows what is left.",
    "What a device needs to deliver events.",
    "A file: who its owner is, and when it ends.",
  ])("may be: %s", (text) => {
    expect(found("a.proto", `  // ${text}\n`)).toEqual([]);
  });

  it("is a named thing in each sentence after the first, however it goes on", () => {
    expect(found("a.ts", "// What a gate does. Who asks, and when.\n")).toEqual(["1 subject"]);
  });
});

describe("prose", () => {
  it("is wrapped at 120 characters, and code, tables and headings are left to others", () => {
    const long = "x".repeat(121);
    expect(found("a.c", `// ${long}\nint ${long};\n`)).toEqual(["1 wrap"]);
    expect(found("a.md", `# ${long}\n| ${long} |\n\`\`\`\n${long}\n\`\`\`\n${long}\n`)).toEqual(["6 wrap"]);
  });

  it("is also what the program says", () => {
    const values = "$" + "{name}";
    expect(
      found("a.ts", `throw new Error(\`${words(13)} ${values} ${words(12)}.\`);\nconst sql = "${words(30)}";\n`),
    ).toEqual(["1 length"]);
  });

  it("is also a sentence of joined literals, and the help of a setting", () => {
    expect(found("a.ts", `refuse(\n  "${words(13)} " +\n    \`${words(13)}.\`,\n);\n`)).toEqual(["2 length"]);
    expect(found("a.ts", `const a = { help: "${words(26)}" };\n`)).toEqual(["1 length"]);
  });

  it("is also the title of a test", () => {
    const each = `it.each([\n  1,\n])("what git says is ${words(25)}", () => {});\n`;
    expect(found("a.test.ts", `// ${words(30)}\ndescribe("${words(26)}", () => {});\n${each}`)).toEqual([
      "2 length",
      "5 length",
      "5 subject",
    ]);
  });
});

describe("the list", () => {
  const wrap = { line: 1, rule: "wrap", text: "" };
  it("allows a file as many breaches of a rule as it says", () => {
    expect(tooMany([wrap, wrap], { wrap: 2 })).toEqual([]);
    expect(tooMany([wrap, wrap], { wrap: 1, length: 5 })).toEqual([wrap, wrap]);
    expect(tooMany([wrap])).toEqual([wrap]);
  });

  it("follows a file that was moved, unless two of its name are gone", () => {
    const list = { "src/a.ts": { wrap: 1 }, "src/x/b.ts": { wrap: 2 }, "src/y/b.ts": { wrap: 3 } };
    expect(allowance(list, ["src/new/a.ts"], "src/new/a.ts")).toEqual({ wrap: 1 });
    expect(allowance(list, ["src/a.ts", "src/new/a.ts"], "src/new/a.ts")).toEqual({});
    expect(allowance(list, ["src/new/b.ts"], "src/new/b.ts")).toEqual({});
  });
});
