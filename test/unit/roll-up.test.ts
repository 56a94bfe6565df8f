import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { choosePacks, type Pack } from "../../src/git/packs/packs.ts";

const packs = (...objects: number[]): Pick<Pack, "name" | "objects">[] =>
  objects.map((each, index) => ({ name: `pack-${index}`, objects: each }));
const chosen = (...objects: number[]) => choosePacks(packs(...objects)).map((pack) => pack.objects);

describe("the choice of packs to roll up", () => {
  it.each([
    [[], []],
    [[7], []],
    [
      [3, 3],
      [3, 3],
    ],
    [[6, 3], []],
    [
      [5, 3],
      [3, 5],
    ],
    [
      [1000, 3, 3, 3],
      [3, 3, 3],
    ],
    [
      [17, 3, 3, 3],
      [3, 3, 3, 17],
    ],
    [
      [100, 40, 3, 3],
      [3, 3],
    ],
  ])("from %j takes %j", (given, wanted) => {
    expect(chosen(...given)).toEqual(wanted);
  });

  it("leaves packs of which each holds at least twice as many objects as all smaller ones together", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 10_000 }), { maxLength: 60 }), (given) => {
        const all = packs(...given);
        const rolled = choosePacks(all);
        const names = new Set(rolled.map(({ name }) => name));
        const left = all.filter(({ name }) => !names.has(name)).map(({ objects }) => objects);
        let total = rolled.reduce((sum, { objects }) => sum + objects, 0);
        for (const objects of left.sort((x, y) => x - y)) {
          expect(objects).toBeGreaterThanOrEqual(2 * total);
          total += objects;
        }
      }),
    );
  });
});
