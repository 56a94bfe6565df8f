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

/** Every file of the project, by its path. A page may leave out `src/`, and the folder of a file whose name is unique. */
const FILES = ["src", "test", "scripts", "bench", "examples", "migrations", "proto", "native", ".ci", "docs"].flatMap(
  (folder) => readdirSync(new URL(folder, PROJECT), { recursive: true }).map((name) => `${folder}/${name}`),
);

/** Returns the files that a text names and that are not there. A C file counts only in code, since git has some too. */
function missingFiles(text: string): string[] {
  const names = /(?<![\w./@:-])(?:\.{1,2}\/)*((?:[\w.-]+\/)*[\w-][\w.-]*\.(?:ts|mjs|sql|proto))\b|`([\w./-]+\.c)`/g;
  const named = [...text.matchAll(names)].map(([, name, inCode = ""]) => name ?? inCode);
  // `builtin/` is git's; NAME and ROOM stand for what somebody adds.
  const ours = named.filter((name) => !/^builtin\/|NAME|ROOM/.test(name));
  return ours.filter((name) => !FILES.some((file) => `/${file}`.endsWith(`/${name}`)));
}

/** Returns the comments of a program, each from the line of its mark on. */
function commentsOf(text: string): string {
  return [...text.matchAll(/^\s*(?:\/\/|\/?\*|--|#(?!include)).*|\s(?:\/\/|--) .*/gm)].join("\n");
}

// The changelog names files as they were.
it.each(PAGES.filter((page) => page !== "CHANGELOG.md"))("every source file that %s names exists", (page) => {
  expect(missingFiles(readFileSync(new URL(page, PROJECT), "utf8"))).toEqual([]);
});

it("every source file that a comment names exists", () => {
  const programs = FILES.filter(
    (file) => /\.(?:ts|mjs|sql|proto|c|h|sh)$/.test(file) && !/^src\/generated\/|\/links\.test\.ts$/.test(file),
  );
  const missing = programs.flatMap((file) => {
    const comments = commentsOf(readFileSync(new URL(file, PROJECT), "utf8"));
    return missingFiles(comments).map((name) => `${file}: ${name}`);
  });
  expect(programs.length).toBeGreaterThan(1_000);
  expect(missing).toEqual([]);
});

it("a source file that does not exist is noticed", () => {
  expect(missingFiles("`src/gone.ts` `sync/read/before-read.ts` `land.ts` `ad.ts`")).toEqual(["src/gone.ts", "ad.ts"]);
  expect(missingFiles("see write/hold-objects.ts, copies/hold-objects.ts and src/a/../b.ts")).toHaveLength(2);
});

it.each([
  ["a line", "  // in src/gone.ts\n"],
  ["the end of a line", 'import "./gone.ts"; // not src/gone.ts\n'],
  ["a block", "/**\n * Reads src/gone.ts.\n */\n"],
  ["SQL", "-- (src/gone.ts)\n"],
])("a source file that does not exist is noticed in a comment: %s", (_, text) => {
  expect(missingFiles(commentsOf(text))).toEqual(["src/gone.ts"]);
});

it("the index of docs/decisions names every page", () => {
  const index = readFileSync(new URL("docs/decisions/README.md", PROJECT), "utf8");
  const pages = readdirSync(new URL("docs/decisions/", PROJECT)).filter((name) => /^\d/.test(name));
  expect(pages.filter((name) => !index.includes(`](${name})`))).toEqual([]);
});

/** Returns the tests that a page names by file and title and that are not there. */
function missingTests(text: string): string[] {
  const named = [...text.matchAll(/`(test\/[\w./-]+\.test\.ts)`: "([^"]+)"/g)];
  return named.flatMap(([, file = "", title = ""]) => {
    const path = new URL(file, PROJECT);
    return existsSync(path) && readFileSync(path, "utf8").includes(`"${title}",`) ? [] : [`${file}: ${title}`];
  });
}

it("every line of the threats in docs/security.md has a test that is there", () => {
  const text = readFileSync(new URL("docs/security.md", PROJECT), "utf8");
  const [, section = ""] = /^## Threats, and what holds them$(.*?)^## /ms.exec(text) ?? [];
  const rows = section.split("\n").filter((line) => /^\| (?!line |-)/.test(line));
  expect(rows.length).toBeGreaterThanOrEqual(5);
  expect(rows.filter((row) => !/\| `test\/[^`]+`: "[^"]+" \|$/.test(row))).toEqual([]);
  expect(missingTests(section)).toEqual([]);
});

it("a test that is gone is noticed", () => {
  const text =
    '`test/unit/links.test.ts`: "a test that is gone is noticed" `test/unit/links.test.ts`: "never" `test/unit/gone.test.ts`: "x"';
  expect(missingTests(text)).toEqual(["test/unit/links.test.ts: never", "test/unit/gone.test.ts: x"]);
});
