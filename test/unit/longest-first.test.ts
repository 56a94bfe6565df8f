import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { inOrder, LONGEST } from "../support/longest-first.ts";

const PROJECT = fileURLToPath(new URL("../..", import.meta.url));

describe("the order of the test files", () => {
  it("begins with the longest files, and leaves the others in their order", () => {
    const [longest, next] = LONGEST as [string, string];
    expect(inOrder(["z", next, "a", longest, "m"], (path) => path)).toEqual([longest, next, "z", "a", "m"]);
  });

  it.each(LONGEST)("names a file that exists: %s", (path) => {
    expect(existsSync(join(PROJECT, path))).toBe(true);
  });
});
