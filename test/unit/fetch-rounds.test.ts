import { describe, expect, it } from "vitest";
import { rounds } from "../../src/sync/objects/fetch-rounds.ts";

describe("a request for many objects", () => {
  it("takes one round if the peer takes all ids at once, and no round if nothing is wanted", () => {
    const request = { wants: ["a", "b"], haves: ["x"], version: 3n };
    expect([...rounds(request)]).toEqual([request]);
    expect([...rounds({ wants: [], haves: ["x"] })]).toEqual([]);
  });

  it("is made in parts, each of which builds on the one before", () => {
    const request = { wants: ["a", "b", "c", "d", "e"], haves: ["x", "y", "z"] };
    expect([...rounds(request, 2)]).toEqual([
      { wants: ["a", "b"], haves: ["x", "y"] },
      { wants: ["c", "d"], haves: ["a", "b"] },
      { wants: ["e"], haves: ["c", "d"] },
    ]);
  });

  it("is made in parts that build on nothing, if each part must be whole by itself", () => {
    expect([...rounds({ wants: ["a", "b", "c"], haves: [], alone: true }, 2)].map(({ haves }) => haves)).toEqual([
      [],
      [],
    ]);
  });
});
