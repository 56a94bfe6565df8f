import { describe, expect, it } from "vitest";
import { clash, namesAbove, TakenNames } from "../../src/git/refs/ref-paths.ts";
import { ref } from "../support/refs.ts";

describe("names of refs", () => {
  it("have all their leading directories above them", () => {
    expect(namesAbove(ref("refs/heads/a/b"))).toEqual(["refs", "refs/heads", "refs/heads/a"]);
    expect(namesAbove(ref("HEAD"))).toEqual([]);
  });

  it.each([
    [["refs/heads/a", "refs/heads/b"], false],
    [["refs/heads/a", "refs/heads/b", "refs/heads/a"], true],
    [["refs/heads/a", "refs/heads/a/b"], true],
    [["refs/heads/a/b/c", "refs/heads/a"], true],
    [["refs/heads/a", "refs/heads/a-b", "refs/heads/a.b", "refs/heads/ab"], false],
    [["refs/heads/a", "refs/tags/a/b"], false],
    [["HEAD", "refs/heads/HEAD"], false],
    [[], false],
  ])("%j clash: %s", (names, expected) => {
    expect(clash(names.map(ref))).toBe(expected);
  });

  it("leave no room for themselves, nor for those above and below them", () => {
    const taken = new TakenNames([ref("refs/heads/a/b")]);
    expect(taken.leaveRoomFor(ref("refs/heads/a/b"))).toBe(false);
    expect(taken.leaveRoomFor(ref("refs/heads/a"))).toBe(false);
    expect(taken.leaveRoomFor(ref("refs/heads/a/b/c"))).toBe(false);
    expect(taken.leaveRoomFor(ref("refs/heads/a/c"))).toBe(true);
  });
});
