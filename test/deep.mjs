// Deep tests take long and seldom find something new. They are divided into ten parts: `.ci/run` runs one, `.ci/deep`
// all.
//   LOCKSTEP_CI_PART=3    runs part 3 only; without it everything runs
//   LOCKSTEP_CI_DIVIDE=all  divides the tests of every file, not only those of deep files
// Deep are the files below, the negative controls, the tests on a newer git, and the image.
//   node test/deep.mjs newer-git   prints the files that run on a newer git
//   node test/deep.mjs has NAME    succeeds if the part has the step NAME
import { fileURLToPath } from "node:url";

const PARTS = 10;

/**
 * All strikes at all crash points, power loss on both ref formats, the long torture, all pairs of statements that lock
 * rows. Each part has a tenth of each file.
 */
const DEEP_FILES = /^test\/(e2e\/(crash-points-.*|power-loss|torture)|integration\/lock-order)\.test\.ts$/;

/** The files in which tests that one line defines, with `it.each` or in a loop, are rows of one rule. */
const WITH_ROWS = /^test\/(e2e|integration)\//;

/** The files that depend most on git. */
export const NEWER_GIT_FILES = [
  ...["reftable", "power-loss"].map((name) => `test/e2e/${name}.test.ts`),
  ...["reftable", "ref-transaction", "recovery", "recovery-of-disks", "root-record"].map(inIntegration),
  ...["push", "push-races", "push-strange-disk", "push-policy", "decide"].map(inIntegration),
  ...["quarantine", "git-fetch", "roll-up", "policy", "reftable-upkeep"].map(inIntegration),
  ...["collect-garbage", "collect-unreachable"].map(inIntegration),
];

/**
 * Returns whether a test of `file` runs in this part. It is number `index` of the file, and number `row` of those that
 * the same line of the file defines. The first of these runs in every part, so that each part has one row of each rule.
 */
export function runsTest(file, { index, row }, env = process.env) {
  if (env.LOCKSTEP_CI_DIVIDE === "all" || DEEP_FILES.test(file)) return isOfPart(file, index, env);
  return row === 0 || !WITH_ROWS.test(file) || isOfPart(file, row, env);
}

/**
 * Returns whether this part has the item number `index` of the list. Each list begins at a different part, so that
 * short lists do not all fall into the same part.
 */
export function isOfPart(list, index, { LOCKSTEP_CI_PART: part = "" } = process.env) {
  const first = [...list].reduce((sum, letter) => sum + letter.codePointAt(0), 0);
  return part === "" || (first + index) % PARTS === Number(part);
}

function inIntegration(name) {
  return `test/integration/${name}.test.ts`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [, , what, name] = process.argv;
  if (what === "newer-git") console.log(NEWER_GIT_FILES.join(" "));
  else if (what !== "has" || !isOfPart(name, 0)) process.exitCode = 1;
}
