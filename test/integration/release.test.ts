// scripts/release.mjs in a repository that has little more than the files that it looks at.
import { spawnSync } from "node:child_process";
import { appendFileSync, cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const ROOT = join(import.meta.dirname, "..", "..");
let project: string;

beforeEach(() => {
  project = mkdtempSync(join(tmpdir(), "lockstep-release-"));
  mkdirSync(join(project, "scripts"));
  cpSync(join(ROOT, "scripts", "release.mjs"), join(project, "scripts", "release.mjs"));
  write("package.json", '{ "name": "git-lockstep", "version": "1.2.3" }');
  write("package-lock.json", '{ "version": "1.2.3" }');
  write("CHANGELOG.md", "# Changelog\n\n## [Unreleased]\n\n## [1.2.3] - 2026-11-30\n\n- A change.\n");
  git("init", "-q");
  commit();
});
afterEach(() => rmSync(project, { recursive: true }));

function write(name: string, text: string): void {
  writeFileSync(join(project, name), text);
}

function git(...args: string[]): void {
  const who = ["-c", "user.name=x", "-c", "user.email=x@example.org"];
  const { status, stderr } = spawnSync("git", [...who, ...args], { cwd: project, encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
}

function commit(): void {
  git("add", "-A");
  git("commit", "-q", "-m", "x");
}

function release(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(project, "scripts", "release.mjs"), ...args], {
    encoding: "utf8",
    cwd: "/",
  });
  return { status, stdout, stderr };
}

describe("the release script", () => {
  it("says in a dry run what it would do and what is left to a person, and changes nothing", () => {
    const { status, stdout, stderr } = release("--dry-run");
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout).toMatch(/^would build .*^would check .*^would pack git-lockstep-1\.2\.3\.tgz$.*SBOM.*SHA256SUMS/ms);
    expect(stdout).toMatch(
      /What is left to you:\n {2}git tag -s v1\.2\.3 .*npm publish release\/git-lockstep-1\.2\.3\.tgz/s,
    );
    expect(readdirSync(project).sort()).toEqual([
      ".git",
      "CHANGELOG.md",
      "package-lock.json",
      "package.json",
      "scripts",
    ]);
  });

  it.each<[string, () => void, RegExp]>([
    ["changes that are not committed", () => appendFileSync(join(project, "CHANGELOG.md"), "\n"), /not committed/],
    ["files that git does not know", () => write("new", ""), /not committed/],
    ["a version that is tagged already", () => git("tag", "v1.2.3"), /tag v1\.2\.3 exists/],
    [
      "a version that the changelog lacks",
      () => {
        write("package.json", '{ "name": "git-lockstep", "version": "1.3.0" }');
        write("package-lock.json", '{ "version": "1.3.0" }');
        commit();
      },
      /CHANGELOG\.md has no heading "## \[1\.3\.0\]/,
    ],
    [
      "a lock file of another version",
      () => {
        write("package-lock.json", '{ "version": "1.2.2" }');
        commit();
      },
      /package-lock\.json has the version 1\.2\.2/,
    ],
    [
      "changes that no version of the changelog has",
      () => {
        write("CHANGELOG.md", "## [Unreleased]\n\n- Another change.\n\n## [1.2.3] - 2026-11-30\n");
        commit();
      },
      /below "Unreleased"/,
    ],
  ])("refuses %s, in one sentence", (_, spoil, sentence) => {
    spoil();
    const { status, stdout, stderr } = release("--dry-run");
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(stderr).toMatch(sentence);
    expect(stderr).toMatch(/^release: [A-Z][^\n]*\.\n$/i);
  });
});
