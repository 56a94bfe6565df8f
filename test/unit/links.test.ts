import { existsSync, readdirSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";

const PROJECT = new URL("../../", import.meta.url);
const PAGES = ["", "docs/", "docs/decisions/", "test/torture/", "test/model/"].flatMap((folder) =>
  readdirSync(new URL(folder, PROJECT))
    .filter((name) => name.endsWith(".md"))
    .map((name) => folder + name),
);

/** Returns the names under which GitHub links the headings of a page. */
function anchorsOf(text: string): string[] {
  const headings = text.replace(/^```.*?^```/gms, "").matchAll(/^#+ (.*)$/gm);
  return [...headings].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, "")
      .replaceAll(" ", "-"),
  );
}

/** Returns the links of a page that lead nowhere: to a file that is not there, or to a heading that it lacks. */
function deadLinks(page: string, text: string): string[] {
  const links = [...text.matchAll(/\]\(\s*([^)\s]+)\s*\)/g)].map(([, link = ""]) => link);
  return links.filter((link) => {
    if (/^[a-z]+:/.test(link)) return false;
    const [path = "", anchor] = link.split("#");
    const file = path === "" ? new URL(page, PROJECT) : new URL(path, new URL(page, PROJECT));
    if (!existsSync(file)) return true;
    return anchor !== undefined && !anchorsOf(readFileSync(file, "utf8")).includes(anchor);
  });
}

it.each(PAGES)("every link of %s leads to a file and a heading that exist", (page) => {
  expect(deadLinks(page, readFileSync(new URL(page, PROJECT), "utf8"))).toEqual([]);
});

it("a link to a missing file or heading is noticed", () => {
  const text =
    "[a](docs/gone.md) [b](docs/operations.md#gone) [c](#gone) [d](docs/operations.md#thaw) [e](https://f.org/g)";
  expect(deadLinks("README.md", text)).toEqual(["docs/gone.md", "docs/operations.md#gone", "#gone"]);
});
