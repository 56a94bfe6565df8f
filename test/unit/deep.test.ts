import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import {
  isOfPart,
  MATRICES,
  NEWER_GIT_FILES,
  newerGitFiles,
  POSTGRES_FILES,
  postgresFiles,
  postgresVersions,
  ruleOf,
  runsTest,
  // @ts-expect-error: a plain program, which runs without a build.
} from "../deep.mjs";
// @ts-expect-error: as above.
import { FEATURES, filesOfOtherParts, LISTS, partsOf } from "../rotating-files.mjs";

const PROJECT = fileURLToPath(new URL("../..", import.meta.url));
const DEEP = "test/e2e/crash-points-push.test.ts";
const OTHER = "test/e2e/crash.test.ts";
const UNIT = "test/unit/deep.test.ts";
const PARTS = Array.from({ length: 10 }, (_, part) => ({ LOCKSTEP_CI_PART: String(part) }));
const RARE_DEATHS = (FEATURES as string[][]).flat().filter((file) => file.includes("/crash-points-"));
const ROTATING = (LISTS as string[][][]).flatMap((list) =>
  list
    .flat()
    .filter((file) => !RARE_DEATHS.includes(file))
    .map((file): [string, number] => [file, list.length]),
);
const PLACES = Array.from({ length: 58 }, (_, index) => index);

describe("the ten parts of the deep tests", () => {
  it("have each test of a deep file once", () => {
    for (const index of PLACES) expect(PARTS.filter((env) => runsTest(DEEP, { index, row: 0 }, env))).toHaveLength(1);
  });

  it("have the first row of each rule of another file, and each further row once", () => {
    for (const index of PLACES) {
      expect(PARTS.filter((env) => runsTest(OTHER, { index, row: 0 }, env))).toHaveLength(10);
      expect(PARTS.filter((env) => runsTest(OTHER, { index, row: index + 1 }, env))).toHaveLength(1);
    }
  });

  it("call the tests of one place a rule, and in a matrix those of one describe", () => {
    const test = { place: "at line 7", suite: "a push" };
    expect(ruleOf(OTHER, test)).toBe("at line 7");
    expect(ruleOf(MATRICES[0], test)).toBe("a push");
  });

  it("have every row of a unit test", () => {
    for (const row of PLACES) expect(PARTS.filter((env) => runsTest(UNIT, { index: row, row }, env))).toHaveLength(10);
  });

  it("have each file of the newer git once, whole, and each test of the deep ones among them once", () => {
    const parts = PARTS.map((env) => ({ ...env, LOCKSTEP_CI_WHOLE: "1" }));
    for (const file of NEWER_GIT_FILES) {
      const those = parts.filter((env) => newerGitFiles(env).includes(file) && !filesOfOtherParts(env).includes(file));
      expect(those, file).toHaveLength(file === "test/e2e/power-loss.test.ts" ? 10 : 1);
      for (const row of PLACES)
        expect(
          those.filter((env) => runsTest(file, { index: row, row }, env)),
          file,
        ).toHaveLength(1);
    }
    expect(newerGitFiles({})).toEqual(NEWER_GIT_FILES);
  });

  it("have each file of other versions of PostgreSQL on each of the versions", () => {
    for (const file of POSTGRES_FILES) {
      const those = PARTS.filter((env) => postgresFiles(env).includes(file)).flatMap(postgresVersions);
      expect([...new Set(those)].sort(), file).toEqual(["14", "16", "17"]);
    }
    expect(PARTS.map((env) => postgresVersions(env).length)).toEqual(PARTS.map(() => 1));
    expect([postgresVersions({}), postgresFiles({})]).toEqual([["14", "16", "17"], POSTGRES_FILES]);
  });

  it.each(RARE_DEATHS)("have %s in one part, with all its tests", (file) => {
    const [part, ...others] = PARTS.filter((env) => !filesOfOtherParts(env).includes(file));
    expect(others).toEqual([]);
    for (const index of PLACES) expect(runsTest(file, { index, row: 0 }, part)).toBe(true);
  });

  it.each(ROTATING)(
    "have %s in one of every %i parts, its first rows in all of those, and each further row once",
    (file, groups) => {
      const parts = PARTS.filter((env) => !filesOfOtherParts(env).includes(file));
      expect([Math.floor(10 / groups), Math.ceil(10 / groups)]).toContain(parts.length);
      for (const index of PLACES) {
        expect(parts.filter((env) => runsTest(file, { index, row: 0 }, env))).toHaveLength(parts.length);
        expect(parts.filter((env) => runsTest(file, { index, row: index + 1 }, env))).toHaveLength(1);
      }
    },
  );

  it("leave out no other file, and name each file once", () => {
    expect(filesOfOtherParts(PARTS[0])).not.toContain(OTHER);
    expect(partsOf(OTHER)).toHaveLength(10);
    const listed: string[] = LISTS.flat(2);
    expect(new Set(listed).size).toBe(listed.length);
  });

  it("leave out no file where whole files are asked for, or where no part is", () => {
    expect(filesOfOtherParts({ LOCKSTEP_CI_PART: "1", LOCKSTEP_CI_WHOLE: "1" })).toEqual([]);
    expect(filesOfOtherParts({})).toEqual([]);
    expect(filesOfOtherParts({ LOCKSTEP_CI_PART: "" })).toEqual([]);
  });

  it("have each control once", () => {
    for (const index of PLACES) expect(PARTS.filter((env) => isOfPart("controls", index, env))).toHaveLength(1);
  });

  it.each([{}, { LOCKSTEP_CI_PART: "" }])("all run where no part is asked for: %j", (env) => {
    for (const index of PLACES)
      expect(runsTest(DEEP, { index, row: 1 }, env) && isOfPart("controls", index, env)).toBe(true);
  });

  it("name files that are there", () => {
    for (const file of [DEEP, OTHER, UNIT, ...MATRICES, ...NEWER_GIT_FILES, ...LISTS.flat(2)])
      expect(existsSync(join(PROJECT, file)), file).toBe(true);
  });
});
