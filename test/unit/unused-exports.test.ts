import { expect, it } from "vitest";
// @ts-expect-error: a plain program, which runs without a build.
import { unusedExports } from "../../scripts/unused-exports.mjs";

const unused = (files: Record<string, string>): string[] => unusedExports(new Map(Object.entries(files)));

it("names an export that no other file imports, though its own file uses it", () => {
  const text = "export function used() {}\nexport async function alone() {}\nexport const LIMIT = 1;\nalone(LIMIT);\n";
  const user = 'import { type Other, used as other } from "../a/a.ts";\n';
  expect(unused({ "src/a/a.ts": text, "src/b/b.ts": user })).toEqual(["src/a/a.ts: alone", "src/a/a.ts: LIMIT"]);
});

it("lets a type be exported that its own file uses, and names one that nobody uses", () => {
  const text = "export interface Taken { a: 1 }\nexport type Dead = 1;\nexport function f(taken: Taken) {}\n";
  expect(unused({ "src/a.ts": text, "test/a.test.ts": 'import { f } from "../src/a.ts";' })).toEqual([
    "src/a.ts: Dead",
  ]);
});

it("counts what is imported late, as a whole, or from the built program", () => {
  const files = {
    "src/a.ts": "export const a = 1;",
    "src/b.ts": "export const b = 1;",
    "src/c.ts": "export const c = 1;",
  };
  const user = 'const { a } = await import("./a.ts");\nimport * as all from "./b.ts";';
  expect(unused({ ...files, "src/d.ts": user, "bench/e.mjs": 'import { c } from "../dist/c.js";' })).toEqual([]);
});
