import { readdirSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";

const STORE = new URL("../../src/store/", import.meta.url);
const TRIED = [
  "../integration/statements-at-size.test.ts",
  "../support/statements-of-replicas.ts",
  "../support/statements-of-writes.ts",
].map((file) => new URL(file, import.meta.url));

/** Called by readFold and readChanges, which are tried. */
const PARTS = ["readChangesInPages", "readFoldInPages"];

it("every statement of the store is tried at a million rows, or that test says why not", () => {
  const tried = TRIED.map((file) => readFileSync(file, "utf8")).join("\n");
  const statements = readdirSync(STORE, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts"))
    .flatMap((file) => [
      ...readFileSync(new URL(file, STORE), "utf8").matchAll(/export async function (\w+)[^(]*\(\s*db: Database/g),
    ]);
  const names = statements.map(([, name]) => name as string).filter((name) => !PARTS.includes(name));
  expect(names.length).toBeGreaterThan(50);
  // Missing here: add it to a table of test/support/statements-of-*.ts, or to ELSEWHERE in
  // test/integration/statements-at-size.test.ts.
  expect(names.filter((name) => !new RegExp(`^  "?${name}\\b.*:`, "m").test(tried))).toEqual([]);
});
