// Generated names of refs, with git's own rule as the judge.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { expect, it } from "vitest";
import { describeUnacceptable, keptName, whyUnacceptable } from "../../src/acceptable-ref.ts";
import { displayRef, nameFromLatin1, type ObjectId, symbolicTo, toLatin1 } from "../../src/domain.ts";
import { FLUSH, PacketReader, packet } from "../../src/framing/pkt-line.ts";
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

/** So many names are in one push. */
const PUSHED = 10_000;

/** Returns which names git's receive-pack calls funny. It sees them as the commands of a few pushes of one commit. */
function funnyToGit(names: readonly string[]): boolean[] {
  const dir = mkdtempSync(join(tmpdir(), "fuzz-refs-"));
  const env = { PATH: process.env.PATH, LC_ALL: "C", HOME: dir, GIT_CONFIG_NOSYSTEM: "1", GIT_DIR: dir };
  const git = (args: string[], input: Buffer | string = "") => {
    const { stdout, status } = spawnSync("git", args, { env, input, maxBuffer: 1 << 30 });
    expect(status).toBe(0);
    return stdout;
  };
  git(["init", "-q", "--bare", dir]);
  const commit = `tree ${git(["mktree"]).toString().trim()}\nauthor A <a@b> 0 +0000\ncommitter A <a@b> 0 +0000\n\nx\n`;
  const id = git(["hash-object", "-t", "commit", "-w", "--stdin"], commit).toString().trim();
  const pack = git(["pack-objects", "--stdout", "-q"]);
  const pushed = (some: readonly string[]): boolean[] => {
    const lines = some.map((each, index) => `${"0".repeat(40)} ${id} ${each}${index === 0 ? "\0report-status" : ""}\n`);
    const input = Buffer.concat([...lines.map((line) => packet(line)), FLUSH, pack]);
    const said = new PacketReader().push(git(["receive-pack", "--stateless-rpc", dir], input));
    const [unpacked, ...told] = said.filter((each) => each !== null).map((each) => each.toString("latin1"));
    expect([unpacked, told.length]).toEqual(["unpack ok\n", some.length]);
    return told.map((each) => each.endsWith(" funny refname\n"));
  };
  const parts = Array.from({ length: Math.ceil(names.length / PUSHED) }, (_, at) =>
    pushed(names.slice(at * PUSHED, (at + 1) * PUSHED)),
  );
  rmSync(dir, { recursive: true });
  return parts.flat();
}

it("a name is funny exactly if git's receive-pack calls it so", () => {
  const { seed } = fuzz();
  // A command of a push ends at a NUL.
  const names = fc
    .sample(name, { numRuns: fuzzCount(300), ...(seed !== undefined && { seed }) })
    .filter((each) => !/\0/.test(each));
  const asked = names.filter((each) => each.startsWith("refs/") && !/^refs\/lockstep(\/|$)/.test(each));
  const funny = asked.map((each) => whyUnacceptable({ name: nameFromLatin1(each), newValue: ID }) === "funny refname");
  const git = funnyToGit(asked);
  const disagree = asked.filter((_, index) => funny[index] !== git[index]);
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

it("a kept ref lies below Lockstep's own name, in a place that git takes", () => {
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
