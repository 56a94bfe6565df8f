import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const PROJECT = new URL("../../", import.meta.url);

/** Runs the step of .ci/run with an npm that prints `answer`. */
function auditWith(answer: string) {
  const dir = mkdtempSync(join(tmpdir(), "lockstep-audit-"));
  try {
    writeFileSync(join(dir, "answer"), answer);
    writeFileSync(join(dir, "npm"), `#!/bin/sh\ncat ${dir}/answer\nexit 1\n`);
    chmodSync(join(dir, "npm"), 0o755);
    const { status, stdout } = spawnSync(process.execPath, [fileURLToPath(new URL(".ci/audit.mjs", PROJECT))], {
      encoding: "utf8",
      env: { PATH: `${dir}${delimiter}${process.env.PATH}` },
    });
    return { status, stdout };
  } finally {
    rmSync(dir, { recursive: true });
  }
}

/** The answer of npm 10 about one package. */
const finding = (severity: string) =>
  JSON.stringify({
    auditReportVersion: 2,
    vulnerabilities: { left: { name: "left", severity, range: "<2", via: [{ title: "It leaks" }] } },
    metadata: { vulnerabilities: { total: 1, [severity]: 1 } },
  });

it.each(["high", "critical"])("a %s fault of a dependency fails the audit, by name", (severity) => {
  const { status, stdout } = auditWith(finding(severity));
  expect(stdout).toContain(`left <2 is ${severity}: It leaks`);
  expect(status).toBe(1);
});

it("a moderate fault of a dependency is counted and passes", () => {
  expect(auditWith(finding("moderate"))).toEqual({ status: 0, stdout: expect.stringContaining("dependencies: 1, of") });
});

it.each([
  ["a refusal", JSON.stringify({ message: "405 Method Not Allowed", error: {} }), "405 Method Not Allowed"],
  ["nothing", "", "npm audit said nothing"],
])("a registry that answers with %s does not fail the audit, which prints the reason", (_, answer, reason) => {
  expect(auditWith(answer)).toEqual({ status: 0, stdout: `The dependencies are not audited: ${reason}\n` });
});

it("docs/dependencies.md gives a reason for each runtime dependency, and for no other package", () => {
  const page = readFileSync(new URL("docs/dependencies.md", PROJECT), "utf8");
  const explained = [...page.matchAll(/^\| `([^`]+)` \|/gm)].map(([, name]) => name);
  const { dependencies } = JSON.parse(readFileSync(new URL("package.json", PROJECT), "utf8"));
  expect(explained.sort()).toEqual(Object.keys(dependencies).sort());
});
