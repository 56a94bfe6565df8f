import { describe, expect, it } from "vitest";
import { describeUnacceptable, whyUnacceptable } from "../../src/acceptable-ref.ts";
import { HEAD, type ObjectId, symbolicTo } from "../../src/domain.ts";
import { ref, update } from "../support/refs.ts";

const ID = "a".repeat(40) as ObjectId;
/** UTF-8 as bytes. */
const utf8 = (text: string) => Buffer.from(text).toString("latin1");
const sized = (bytes: number) => `refs/heads/${"abcdefghi/".repeat(200)}`.slice(0, bytes - 1).concat("z");

const TAKEN = [
  "refs/heads/main",
  "refs/heads/a/b/c",
  "refs/tags/v1.0",
  "refs/notes/commits",
  "refs/for/main",
  "refs/heads/@",
  "refs/heads/a@b",
  "refs/heads/{a}",
  "refs/heads/-a",
  "refs/heads/it's",
  'refs/heads/"a"',
  "refs/heads/HEAD",
  "refs/heads/caf\xe9",
  "refs/heads/\xff\xfe",
  utf8("refs/heads/glück"),
  utf8("refs/heads/日本"),
  utf8("refs/heads/שלום"),
  utf8("refs/heads/a\u200d"),
  "refs/lockstepper/a",
  "refs/heads/refs/lockstep",
  "refs/heads/locked",
  `refs/heads/${"x".repeat(240)}`,
  sized(1000),
];

const FUNNY = [
  "",
  "main",
  "ORIG_HEAD",
  "refs",
  "refs/",
  "refs/heads",
  "refs/stash",
  "refs/heads/",
  "refs//main",
  "/refs/heads/main",
  "refs/heads/../../config",
  "refs/heads/a..b",
  "refs/heads/.a",
  "refs/./a",
  "refs/heads/a.lock",
  "refs/heads/a.lock/b",
  "refs/heads/a.",
  "refs/heads/a@{b",
  "refs/heads/a b",
  "refs/heads/a~",
  "refs/heads/a^",
  "refs/heads/a:b",
  "refs/heads/a?",
  "refs/heads/a*",
  "refs/heads/a[b",
  "refs/heads/a\\b",
  "refs/heads/a\tb",
  "refs/heads/a\x7f",
  "refs/heads/a\0",
];

const DIRECTIONS = ["\u061c", "\u200e", "\u200f", "\u202a", "\u202e", "\u2066", "\u2069"];

describe("the rule for new refs", () => {
  it.each(TAKEN)("takes %j", (name) => {
    expect(whyUnacceptable({ name: ref(name), newValue: ID })).toBeNull();
    expect(whyUnacceptable({ name: ref("HEAD"), newValue: symbolicTo(ref(name)) })).toBeNull();
  });

  it.each([
    ...FUNNY.map((name) => [name, "funny refname"]),
    ...DIRECTIONS.map((each) => [
      utf8(`refs/heads/main${each}`),
      "name with a character that changes the direction of text",
    ]),
    ["refs/lockstep", "refs/lockstep/ belongs to Lockstep"],
    ["refs/lockstep/lost/1/heads/main", "refs/lockstep/ belongs to Lockstep"],
    [`refs/heads/${"x".repeat(241)}`, "part of the name of more than 240 bytes"],
    [`refs/heads/${"x".repeat(241)}/y`, "part of the name of more than 240 bytes"],
    [utf8(`refs/heads/${"ü".repeat(121)}`), "part of the name of more than 240 bytes"],
    [sized(1001), "name of more than 1000 bytes"],
    [sized(2800), "name of more than 1000 bytes"],
  ] as [string, string][])("refuses %j and says why", (name, why) => {
    expect(whyUnacceptable({ name: ref(name), newValue: ID })).toBe(why);
    const value = symbolicTo(ref(name));
    expect(whyUnacceptable({ name: ref("refs/heads/a"), newValue: value })).toBe(`the ref that it stands for: ${why}`);
    expect(whyUnacceptable({ name: ref("HEAD"), newValue: value })).toBe(`the ref that it stands for: ${why}`);
  });
});

it("lets HEAD be detached, and lets other symbolic refs lead to HEAD", () => {
  expect(whyUnacceptable({ name: HEAD, newValue: ID })).toBeNull();
  expect(whyUnacceptable({ name: ref("refs/heads/a"), newValue: symbolicTo(HEAD) })).toBeNull();
});

it("lists the refs that break the rule with their reasons, up to a limit", () => {
  expect(describeUnacceptable([update("refs/heads/a", null, ID), update("HEAD", null, ID)])).toBe("");
  const bad = [update("refs/stash", null, ID), update("refs/heads/a", null, ID), update("refs/lockstep", null, ID)];
  expect(describeUnacceptable(bad)).toBe(
    "refs/stash: funny refname; refs/lockstep: refs/lockstep/ belongs to Lockstep",
  );
  const many = Array.from({ length: 1_000 }, () => update(sized(60_000), null, ID));
  expect(describeUnacceptable(many).length).toBeLessThan(10_000);
});

describe("the rule for refs that are to go", () => {
  it.each(["refs/stash", "refs/heads", `refs/heads/${"x".repeat(241)}`, sized(1001), utf8("refs/heads/a\u202e")])(
    "lets %j go, which should not be there",
    (name) => {
      expect(whyUnacceptable({ name: ref(name), newValue: null })).toBeNull();
    },
  );

  it.each([
    ["refs/heads/a..b", "funny refname"],
    ["refs/../config", "funny refname"],
    ["main", "funny refname"],
    ["refs/lockstep", "refs/lockstep/ belongs to Lockstep"],
    ["refs/lockstep/lost/1/heads/main", "refs/lockstep/ belongs to Lockstep"],
  ])("keeps hands off %j", (name, why) => {
    expect(whyUnacceptable({ name: ref(name), newValue: null })).toBe(why);
  });
});
