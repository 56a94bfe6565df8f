// Deep tests take long and seldom find something new. They are divided into ten parts: `.ci/run` runs one, `.ci/deep`
// all.
//   LOCKSTEP_CI_PART=3   runs part 3 only; without it everything runs. `npm test` runs part 0
//   LOCKSTEP_CI_WHOLE=1  runs all tests of the named files, except those of deep files
// Deep are the files below, the rows of a rule after the first one, the negative controls, the tests on a newer git and
// on other versions of PostgreSQL, and the image. rotating-files.mjs has the files of features, which run whole in some of the parts.
//   node test/deep.mjs newer-git   prints the files that this part runs on a newer git
//   node test/deep.mjs postgres    prints the versions of PostgreSQL on which this part runs tests too
//   node test/deep.mjs postgres-files   prints the files that it runs there
//   node test/deep.mjs elsewhere   prints the files of features that are in other parts
//   node test/deep.mjs has NAME    succeeds if the part has the step NAME
import { fileURLToPath } from "node:url";
import { filesOfOtherParts, partsOf } from "./rotating-files.mjs";

const PARTS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];

/**
 * All strikes at all crash points, power loss on both ref formats, fail-overs of the database in the middle of a push,
 * the long torture, all pairs of statements that lock rows, the model without each of its rules. Each part has a tenth of
 * each file.
 */
const DEEP_FILES =
  /^test\/(e2e\/(crash-points-.*|power-loss|synchronous-standby|torture)|integration\/lock-order|model\/.*missing-rules)\.test\.ts$/;

/** The files in which tests that one line defines, with `it.each` or in a loop, are rows of one rule. */
const WITH_ROWS = /^test\/(e2e|integration)\//;

/** The files in which all tests of a `describe` are rows of one rule: each shows another case of it. */
export const MATRICES = [
  ...["shallow", "hidden-history", "ref-names", "replacement-refs", "alias-with-target"].map(inE2e),
  ...[
    "strange-files",
    "refs-by-hand",
    "unreadable-files",
    "disk-changes",
    "lost-disk",
    "rename-names",
    "acceptable-ref",
    "session-aliases",
    "push-aliases",
  ].map(inIntegration),
  ...["refs-in-the-way", "many-refused-refs", "gate-break-off", "stalled-peers", "hung-sources", "undo-refused"].map(
    inIntegration,
  ),
];

/** The files that depend most on git. */
export const NEWER_GIT_FILES = [
  ...["reftable", "power-loss"].map(inE2e),
  ...["reftable", "reftable-crashes", "ref-transaction", "apply-refs", "sync-refs"].map(inIntegration),
  ...["recovery", "interrupted-recovery", "recovery-of-disks", "root-record"].map(inIntegration),
  ...["push", "push-races", "push-strange-disk", "push-policy", "decide", "git-fails-around-decision"].map(
    inIntegration,
  ),
  ...["quarantine", "refused-packs", "git-fetch", "roll-up", "policy", "reftable-upkeep"].map(inIntegration),
  ...["collect-garbage", "collect-unreachable", "collect-beside-work", "kept-git"].map(inIntegration),
];

/** Older and newer ones than those of Debian 12 (15) and of the npm package of the tests (18). */
const POSTGRES_VERSIONS = ["14", "16", "17"];

/** The files that depend most on PostgreSQL: its catalogue, plans, locks, roles, notifications and standbys. */
export const POSTGRES_FILES = [
  ...[
    "schema",
    "bump",
    "bump-refused",
    "old-leases",
    "device-login-rights",
    "turns",
    "writes-in-turn",
    "audit",
    "notifications",
  ].map(inIntegration),
  ...["migrate", "device-logins", "bump-over-others", "commands", "registry", "ref-log"].map(inIntegration),
  ...[
    "device-lease",
    "take-over",
    "device-room",
    "read-heads",
    "broken-connections",
    "replicas",
    "stage-write",
    "trim-writes",
  ].map(inIntegration),
  ...["unwritable-database", "pooler"].map(inIntegration),
  "test/e2e/pooler-logins.test.ts",
];

/** Returns the versions of PostgreSQL on which this part runs tests: one, or all where all parts run. */
export function postgresVersions({ LOCKSTEP_CI_PART: part = "" } = process.env) {
  return part === "" ? POSTGRES_VERSIONS : [POSTGRES_VERSIONS[Number(part) % 3]];
}

/** Returns the files that this part runs there: a third. Three parts in a row have the same third on all versions. */
export function postgresFiles({ LOCKSTEP_CI_PART: part = "" } = process.env) {
  return POSTGRES_FILES.filter((_, index) => part === "" || index % 3 === Math.floor(Number(part) / 3) % 3);
}

/** Returns the files that this part runs on a newer git: a tenth of the list, and some tests of each deep file in it. */
export function newerGitFiles(env = process.env) {
  return NEWER_GIT_FILES.filter((file, index) => DEEP_FILES.test(file) || isOfPart("newer-git", index, env));
}

/** Returns the name of the rule of which a test is a row: its place in the file, or its `describe`. */
export function ruleOf(file, { place, suite }) {
  return MATRICES.includes(file) ? suite : place;
}

/**
 * Returns whether a test of `file` runs in this part. It is number `index` of the file, and number `row` of its rule.
 * The first row of each rule runs in every part of the file, and each other row in one of them.
 */
export function runsTest(file, { index, row }, env = process.env) {
  if (DEEP_FILES.test(file)) return isOfPart(file, index, env, partsOf(file));
  if (env.LOCKSTEP_CI_WHOLE) return true;
  return row === 0 || !WITH_ROWS.test(file) || isOfPart(file, row, env, partsOf(file));
}

/**
 * Returns whether this part has the item number `index` of the list, which is divided among `parts`. Each list begins at
 * a different part, so that short lists do not all fall into the same part.
 */
export function isOfPart(list, index, { LOCKSTEP_CI_PART: part = "" } = process.env, parts = PARTS) {
  const first = [...list].reduce((sum, letter) => sum + letter.codePointAt(0), 0);
  return part === "" || parts[(first + index) % parts.length] === Number(part);
}

function inE2e(name) {
  return `test/e2e/${name}.test.ts`;
}

function inIntegration(name) {
  return `test/integration/${name}.test.ts`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [, , what, name] = process.argv;
  if (what === "newer-git") console.log(newerGitFiles().join(" "));
  else if (what === "postgres") console.log(postgresVersions().join(" "));
  else if (what === "postgres-files") console.log(postgresFiles().join(" "));
  else if (what === "elsewhere") console.log(filesOfOtherParts().join("\n"));
  else if (what !== "has" || !isOfPart(name, 0)) process.exitCode = 1;
}
