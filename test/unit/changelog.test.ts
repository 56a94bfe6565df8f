import { readFileSync } from "node:fs";
import { expect, it } from "vitest";

const PARTS = ["Added", "Changed", "Fixed", "Security"];

/** Returns the headings of the parts of each version, as a text. */
function partsOf(text: string): string[] {
  const [, ...versions] = text.split(/^## /m);
  return versions.map((version) => [...version.matchAll(/^### (.*)$/gm)].map(([, part]) => part).join(" "));
}

/** Returns the versions whose parts have other names, another order, or come twice. */
function outOfOrder(text: string): string[] {
  return partsOf(text).filter((parts) => PARTS.filter((part) => parts.split(" ").includes(part)).join(" ") !== parts);
}

it("CHANGELOG.md has what was added, changed and fixed in each version in that order", () => {
  const text = readFileSync(new URL("../../CHANGELOG.md", import.meta.url), "utf8");
  expect(partsOf(text)[0]).toMatch(/^Added/);
  expect(outOfOrder(text)).toEqual([]);
});

it("parts that are out of order, or come twice, are noticed", () => {
  const versions = ["### Fixed\n\n### Added\n", "### Added\n\n### Added\n", "### Fixed\n"];
  expect(outOfOrder(versions.map((parts) => `## [1]\n\n${parts}`).join(""))).toEqual(["Fixed Added", "Added Added"]);
});
