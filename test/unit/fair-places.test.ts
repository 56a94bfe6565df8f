import { describe, expect, it } from "vitest";
import { packPlaces } from "../../src/sync/objects/busy.ts";
import { LIMITS } from "../support/limits.ts";

describe("places for packs", () => {
  it("number eight for a device that asks alone", () => {
    const places = packPlaces("me", LIMITS.portLimits.packs);
    const taken = Array.from({ length: 8 }, () => places.take("one"));
    expect(() => places.take("one")).toThrow("sends 8 packs already");
    taken[3]![Symbol.dispose]();
    taken[3]![Symbol.dispose]();
    taken[3] = places.take("one");
    expect(() => places.take("one")).toThrow("sends 8 packs already");
    for (const place of taken) place[Symbol.dispose]();
    places.take("one");
  });

  it("remain for every other device, however many places one device has taken", () => {
    const places = packPlaces("me", LIMITS.portLimits.packs);
    for (let count = 0; count < 8; count += 1) places.take("greedy");
    for (const asker of ["two", "three", "four"]) {
      places.take(asker);
      places.take(asker);
      expect(() => places.take(asker)).toThrow(/sends \d+ packs already/);
    }
  });
});
