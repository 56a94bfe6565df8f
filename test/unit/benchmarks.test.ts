// The benchmarks run seldom. Their imports must not be left behind when a file of the program moves.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";

const PROJECT = new URL("../../", import.meta.url);

it("every file of the program that a benchmark imports exists", () => {
  const imports = readdirSync(new URL("bench/", PROJECT))
    .filter((file) => file.endsWith(".mjs"))
    .flatMap((file) => [
      ...readFileSync(new URL(`bench/${file}`, PROJECT), "utf8").matchAll(/from "\.\.\/dist\/(.*)\.js"/g),
    ])
    .map(([, module]) => `src/${module}.ts`);
  expect(imports.length).toBeGreaterThan(20);
  expect(imports.filter((path) => !existsSync(new URL(path, PROJECT)))).toEqual([]);
});
