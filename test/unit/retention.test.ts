import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { countDays } from "../../src/git/beside/kept-notes.ts";
import { ALL_SUBJECTS, describeRule, parseKeep } from "../../src/store/retention/subjects.ts";

describe("a time to keep", () => {
  it.each([
    ["log", "10000,90d", { versions: 10_000n, days: 90 }],
    ["log", "10000", { versions: 10_000n, days: 0 }],
    ["log", "90d", { versions: 1n, days: 90 }],
    ["writes", "30d", { days: 30 }],
  ])("a time to keep of %s may be %s", (subject, text, keep) => {
    expect(parseKeep(subject, text)).toEqual(keep);
  });

  it.each([
    ["log", ""],
    ["log", "0"],
    ["log", "0,90d"],
    ["log", "90d,10000"],
    ["log", ",90d"],
    ["log", "10000,"],
    ["log", "99999d"],
    ["log", "-1"],
    ["writes", "0d"],
    ["writes", "30"],
    ["writes", "1000,30d"],
    ["turns", "1d"],
    ["something", "1d"],
  ])("a time to keep of %s may not be %s", (subject, text) => {
    expect(() => parseKeep(subject, text)).toThrow(expect.objectContaining({ code: "INVALID_REQUEST" }));
  });
});

it("docs/operations.md has the table of what is kept", () => {
  const page = readFileSync(new URL("../../docs/operations.md", import.meta.url), "utf8");
  const rows = ALL_SUBJECTS.map(
    ({ name, what, keep = "" }) => `| ${name} | ${what} | ${describeRule(name)} | ${keep && `\`${keep}\``} |`,
  );
  expect(page.split("\n").filter((line) => rows.some((row) => line.startsWith(row.slice(0, 12))))).toEqual(rows);
});

it("a day is counted once, and only for things that are there", () => {
  const seen = countDays({ a: { days: 3, last: "1" }, b: { days: 1, last: "1" } }, ["a", "c"], "2");
  expect(seen).toEqual({ a: { days: 4, last: "2" }, c: { days: 1, last: "2" } });
  expect(countDays(seen, ["a"], "2")).toEqual({ a: { days: 4, last: "2" } });
});
