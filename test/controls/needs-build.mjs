// Whether a copy of the project with a rule taken away must be built before its tests run. A build takes 3.5 CPU-seconds,
// as long as most controls need for their test.
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";

/** What a build compiles. dist/ reads the migrations where they lie. */
const COMPILED = /^(src|native|proto)\//;
/** How a test file names the folder dist/. */
const NAMES_DIST = /"dist"|\bdist\//;
const IMPORTS = /\bfrom "(\.[^"]+)"|\bimport\(?"(\.[^"]+)"/g;

/** Returns whether the control's tests run a program that its patches change. */
export function needsBuild(project, { patches, project: kind, tests, torture }) {
  if (!patches.some(({ file }) => COMPILED.test(file))) return false;
  return torture !== undefined || kind === "e2e" || namesDist(project, tests);
}

/** Returns whether a test file, or a file below test/ that it imports, names dist/. */
function namesDist(project, tests) {
  const files = [tests];
  // The list grows while it is read.
  for (const file of files) {
    const text = readFileSync(join(project, file), "utf8");
    if (NAMES_DIST.test(text)) return true;
    for (const [, plain, dynamic] of text.matchAll(IMPORTS)) {
      const imported = relative(project, join(project, dirname(file), plain ?? dynamic));
      if (imported.startsWith("test/") && !files.includes(imported) && existsSync(join(project, imported)))
        files.push(imported);
    }
  }
  return false;
}
