// Generated names of refs, with git's own rule as the judge.
import { spawnSync } from "node:child_process";
import fc from "fast-check";
import { expect, it } from "vitest";
import { describeUnacceptable, keptName, whyUnacceptable } from "../../src/acceptable-ref.ts";
import { displayRef, nameFromLatin1, type ObjectId, symbolicTo, toLatin1 } from "../../src/domain.ts";
import { clash } from "../../src/git/refs/ref-paths.ts";
import { bytes, fuzz, fuzzCount, oddText, textOf } from "../support/fuzz.ts";

const ID = "a".repeat(40) as ObjectId;
const latin1 = (text: string) => Buffer.from(text).toString("latin1");
const part = fc.oneof(
  fc.constantFrom(
    "refs/",
    "heads/",
    "lockstep/",
    "main",
    "/",
    ".",
    "..",
    ".lock",
    "@",
    "{",
    "@{",
    "-",
    "*",
    "~",
    "^",
    ":",
    "?",
    "[",
    "\\",
  ),
  bytes(3).map((each) => each.toString("latin1")),
  oddText(3).map(latin1),
);
const name = fc
  .tuple(fc.constantFrom("refs/heads/", "refs/a/", "refs/", ""), textOf(part))
  .map(([start, rest]) => start + rest.slice(0, 2_000));

/** Returns whether git check-ref-format takes each name. One shell asks for all. */
function asGitSays(names: readonly string[]): boolean[] {
  const loop = 'while IFS= read -r -d "" name; do git check-ref-format "$name" && echo y || echo n; done';
  const input = Buffer.from(names.map((each) => `${each}\0`).join(""), "latin1");
  const { stdout, status } = spawnSync("bash", ["-c", loop], { input, env: { PATH: process.env.PATH, LC_ALL: "C" } });
  expect(status).toBe(0);
  return stdout
    .toString()
    .trim()
    .split("\n")
    .map((line) => line === "y");
}

it("a name is funny exactly if git check-ref-format refuses it", () => {
  const { seed } = fuzz();
  // No argument of a program holds a NUL.
  const names = fc
    .sample(name, { numRuns: fuzzCount(100), ...(seed !== undefined && { seed }) })
    .filter((each) => !/\0/.test(each));
  const asked = names.filter((each) => each.startsWith("refs/") && !/^refs\/lockstep(\/|$)/.test(each));
  const funny = asked.map((each) => whyUnacceptable({ name: nameFromLatin1(each), newValue: ID }) === "funny refname");
  const git = asGitSays(asked);
  const disagree = asked.filter((each, index) => funny[index] === git[index] && each.split("/").length > 2);
  expect(disagree).toEqual([]);
  // Both kinds are among them.
  expect(new Set(git).size).toBe(2);
}, 600_000);

it("any name is taken or refused in words, as a ref and as what a symbolic ref stands for", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        name,
        bytes(2_000).map((each) => each.toString("latin1")),
      ),
      (text) => {
        const ref = nameFromLatin1(text);
        const why = whyUnacceptable({ name: ref, newValue: ID });
        if (why === null) expect(text).toMatch(/^(HEAD$|refs\/)(?!.*\.\.)[^\0-\x20]*$/s);
        if (/\0/.test(text)) expect(why).not.toBeNull();
        if (text !== "HEAD") {
          const other = whyUnacceptable({ name: nameFromLatin1("refs/heads/a"), newValue: symbolicTo(ref) });
          expect(other).toBe(why === null ? null : `the ref that it stands for: ${why}`);
        }
        const sentence = describeUnacceptable([{ name: ref, oldValue: null, newValue: ID }]);
        expect(sentence.length).toBeLessThan(500);
        expect(displayRef(ref)).toBe(Buffer.from(displayRef(ref)).toString());
      },
    ),
    fuzz(),
  );
});

it("what is kept of a ref lies below Lockstep's own name, in a place that git takes", () => {
  fc.assert(
    fc.property(name, (text) => {
      if (whyUnacceptable({ name: nameFromLatin1(text), newValue: ID }) !== null || text === "HEAD") return;
      const kept = toLatin1(keptName("refs/lockstep/lost/1/", nameFromLatin1(text)));
      expect(kept.startsWith("refs/lockstep/lost/1/")).toBe(true);
      expect(kept.length).toBeLessThan(1_100);
    }),
    fuzz(),
  );
});

it("names clash exactly if one is a directory of another", () => {
  const short = fc
    .array(fc.constantFrom("a", "b", "a-b"), { minLength: 1, maxLength: 4 })
    .map((parts) => parts.join("/"));
  fc.assert(
    fc.property(fc.uniqueArray(short, { maxLength: 6 }), (names) => {
      const expected = names.some((one) => names.some((other) => other.startsWith(`${one}/`)));
      expect(clash(names.map(nameFromLatin1))).toBe(expected);
    }),
    fuzz(),
  );
});
