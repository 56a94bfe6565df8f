import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
// @ts-expect-error: a plain program, which runs without a build.
import { controls } from "../controls/controls.mjs";

const PROJECT = fileURLToPath(new URL("../..", import.meta.url));

describe("the negative control without", () => {
  it.each(controls as { rule: string; patches: { file: string; from: string }[]; tests: string }[])(
    "$rule: finds the rule in the code, and the tests that must notice",
    ({ patches, tests }) => {
      for (const { file, from } of patches) {
        expect(readFileSync(join(PROJECT, file), "utf8").split(from)).toHaveLength(2);
      }
      expect(existsSync(join(PROJECT, tests))).toBe(true);
    },
  );
});
