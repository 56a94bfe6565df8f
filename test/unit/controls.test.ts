import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { transformSync } from "esbuild";
import { describe, expect, it } from "vitest";
// @ts-expect-error: a plain program, which runs without a build.
import { controls } from "../controls/controls.mjs";

const PROJECT = fileURLToPath(new URL("../..", import.meta.url));

describe("the negative control without", () => {
  it.each(controls as { rule: string; patches: { file: string; from: string; to: string }[]; tests: string }[])(
    "$rule: finds the rule in the code, which compiles without it, and the tests that must notice",
    ({ patches, tests }) => {
      const patched = new Map<string, string>();
      for (const { file, from, to } of patches) {
        const text = patched.get(file) ?? readFileSync(join(PROJECT, file), "utf8");
        expect(text.split(from)).toHaveLength(2);
        patched.set(
          file,
          text.replace(from, () => to),
        );
      }
      for (const [file, text] of patched) if (file.endsWith(".ts")) transformSync(text, { loader: "ts" });
      expect(existsSync(join(PROJECT, tests))).toBe(true);
    },
  );
});
