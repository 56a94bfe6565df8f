import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { ERROR_TABLE } from "../../src/errors.ts";

test("docs/operations.md has a heading for every error code and no other", () => {
  const page = readFileSync(new URL("../../docs/operations.md", import.meta.url), "utf8");
  const headings = [...page.matchAll(/^## (.*)$/gm)].map(([, heading]) => heading);
  expect(headings.sort()).toEqual(Object.keys(ERROR_TABLE).sort());
});
