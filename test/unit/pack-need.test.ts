import { expect, it } from "vitest";
import { needsGc, type PackNeed } from "../../src/git/packs/pack-need.ts";

const NOW = Date.UTC(2026, 10, 29);
const DAY = 24 * 60 * 60 * 1000;
const MIB = 2 ** 20;

/** A replica whose packs were made anew a day ago, at version 7. */
const packed: PackNeed = {
  packs: 2,
  bytes: 100 * MIB,
  newPacks: 1,
  newBytes: 0,
  loose: 0,
  packedAllAt: NOW - DAY,
  packedAllVersion: "7",
  cruft: false,
};
const needs = (need: Partial<PackNeed>, version = "7") => needsGc({ ...packed, ...need }, version, NOW);

it("a replica needs a gc when a tenth of its bytes is new", () => {
  expect(needs({ bytes: 109 * MIB, newBytes: 9 * MIB })).toBe(false);
  expect(needs({ bytes: 111 * MIB, newBytes: 11 * MIB })).toBe(true);
});

it("a small replica needs none for each push", () => {
  expect(needs({ bytes: 100_000, newBytes: 90_000, newPacks: 30 })).toBe(false);
  expect(needs({ bytes: 300_000, newBytes: 300_000 })).toBe(true);
});

it("many packs or loose objects that nothing else joins need one", () => {
  expect(needs({ newPacks: 101 })).toBe(true);
  expect(needs({ loose: 2_560 })).toBe(true);
});

it("after two weeks a replica needs one if its refs have changed, or if unreachable objects wait there", () => {
  const long = { packedAllAt: NOW - 15 * DAY };
  expect(needs(long)).toBe(false);
  expect(needs(long, "8")).toBe(true);
  expect(needs({ ...long, cruft: true })).toBe(true);
  expect(needs({ cruft: true }, "8")).toBe(false);
  expect(needs({ packedAllAt: 0, packedAllVersion: "", bytes: 0 }, "0")).toBe(false);
});
