// `npm run controls` runs all negative controls; `npm run controls -- "a read"` those whose rule begins so. Each takes
// one rule away, in a copy of the project, and runs the tests that must notice. LOCKSTEP_CI_PART selects one part of
// the controls (../deep.mjs).
import { spawn } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { isOfPart } from "../deep.mjs";
import { keepFilesInMemory } from "../support/memory.mjs";
import { controls } from "./controls.mjs";
import { needsBuild } from "./needs-build.mjs";

const project = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const COPIED = [
  "src",
  "test",
  "migrations",
  "proto",
  "scripts",
  "native",
  "dist",
  "docs",
  "package.json",
  "tsconfig.json",
  "tsconfig.build.json",
  "vitest.config.ts",
];

/** The number of controls at once. A control waits more than it computes. */
const AT_ONCE = 4;

/**
 * Where the rule is missing, a test may wait in vain. It has this time, instead of the three to five minutes of others.
 * A test of a control takes less than half of it where the rule holds.
 */
const IN_VAIN_MS = { unit: 30_000, model: 30_000, integration: 30_000, e2e: 90_000 };

/** Runs a program and returns its exit code and its output. */
async function run(program, args, cwd, env) {
  const child = spawn(program, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (said += chunk));
  return await new Promise((resolve) => child.once("close", (code) => resolve({ code, said })));
}

/**
 * Starts one PostgreSQL for all controls, whose tests make their own databases. Returns undefined if the caller named
 * one.
 */
async function startDatabase(dir) {
  if (process.env.LOCKSTEP_DATABASE_URL) return undefined;
  const { startPostgres } = await import(join(project, "dist", "demo", "postgres.js"));
  const isRoot = process.getuid?.() === 0;
  return await startPostgres({ dir, env: process.env, isRoot });
}

/** Returns whether a run of the torture notices that the rule is missing. */
async function underTorture(copy, args) {
  const { code, said } = await run(process.execPath, ["test/torture/run.mjs", ...args], copy, process.env);
  const without = /^The database has no standby: .*$/m.exec(said)?.[0];
  if (without !== undefined) return { why: without };
  const failed = /^FAILED: .*$/m.exec(said)?.[0];
  const why = failed ?? (/^All checks passed.$/m.exec(said) ? "all checks passed" : said.slice(-600));
  return { ok: code === 1 && failed !== undefined, why: `${why} (npm run torture -- ${args.join(" ")})` };
}

async function check(control, env) {
  const { rule, patches, project: tests, tests: file, name, torture, mustFail = true } = control;
  const copy = mkdtempSync(join(tmpdir(), "lockstep-control-"));
  try {
    for (const each of COPIED)
      cpSync(join(project, each), join(copy, each), { recursive: true, preserveTimestamps: true });
    symlinkSync(join(project, "node_modules"), join(copy, "node_modules"));
    for (const { file, from, to } of patches) {
      const text = readFileSync(join(copy, file), "utf8");
      if (text.split(from).length !== 2) return { rule, ok: false, why: `${file} does not have the rule once` };
      writeFileSync(
        join(copy, file),
        text.replace(from, () => to),
      );
    }
    const built = needsBuild(project, control)
      ? await run(process.execPath, ["scripts/build.mjs"], copy, env)
      : undefined;
    if (torture) return { rule, ...(await underTorture(copy, torture)) };
    const vitest = join(project, "node_modules", "vitest", "vitest.mjs");
    const only = [...(name ? ["-t", name] : []), ...(mustFail ? ["--testTimeout", String(IN_VAIN_MS[tests])] : [])];
    const args = [vitest, "run", "--project", tests, file, "--bail", "1", ...only];
    const { said } = await run(process.execPath, args, copy, env);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: colours.
    const plain = said.replace(/\x1b\[[0-9;]*m/g, "");
    const counted = /^\s*Tests\s+(.*)$/m.exec(plain)?.[1] ?? "";
    const failed = /(\d+) failed/.exec(counted)?.[1] ?? "0";
    const passed = /(\d+) passed/.exec(counted)?.[1] ?? "0";
    const skipped = /^The tests of .* are skipped.*$/m.exec(plain)?.[0];
    if (failed === "0" && passed === "0" && skipped !== undefined) return { rule, why: skipped };
    if (failed === "0" && passed === "0")
      return { rule, ok: false, why: `no test ran: ${built?.said ?? ""}${plain.slice(-600)}` };
    const noticed = failed !== "0";
    const inVain = /Test timed out in /.test(plain) ? ", waited in vain" : "";
    return { rule, ok: noticed === mustFail, why: `${failed} failed, ${passed} passed in ${file}${inVain}` };
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

const wanted = process.argv.slice(2);
const isWanted = ({ rule }) => wanted.length === 0 || wanted.some((each) => rule.startsWith(each));
/** Without their rule, tests of these files wait in vain for more than 20 s. */
const WAITS =
  /\/(budgets|gate-failures|gate-limits|hook-socket-limits|hung-\w+|(landed|push)-over-others|re(move|store)-repository|rename-names|stalled-peers|watch-cursor)\.test\.ts$/;
/** The controls that take long begin first, so that none of them runs alone at the end. Runs of the torture take most. */
const lengthOf = ({ torture, project: kind, tests }) => (torture ? 2 : Number(kind === "e2e" || WAITS.test(tests)));
const waiting = controls
  .filter((control, index) => isWanted(control) && isOfPart("controls", index))
  .sort((a, b) => lengthOf(b) - lengthOf(a));
let failures = 0;
let passes = 0;
async function work(env) {
  for (let control = waiting.shift(); control; control = waiting.shift()) {
    const started = performance.now();
    const { rule, ok, why } = await check(control, env);
    const seconds = Math.round((performance.now() - started) / 1_000);
    if (ok) passes += 1;
    else if (ok === false) failures += 1;
    console.log(`${{ true: "ok ", false: "NOT" }[ok] ?? "-- "} without the rule "${rule}": ${why} (${seconds} s)`);
  }
}
keepFilesInMemory();
const directory = mkdtempSync(join(tmpdir(), "lockstep-controls-"));
const database = await startDatabase(directory);
try {
  // LOCKSTEP_CI_PART divides the list of controls. The tests of one control are not divided.
  const env = { ...process.env, LOCKSTEP_CI_PART: "", ...(database && { LOCKSTEP_DATABASE_URL: database.url }) };
  await Promise.all(Array.from({ length: AT_ONCE }, () => work(env)));
} finally {
  await database?.[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true, force: true });
  if (database) rmSync(database.directory, { recursive: true, force: true });
}
console.log(`Tests  ${failures > 0 ? `${failures} failed | ` : ""}${passes} passed`);
process.exitCode = failures > 0 ? 1 : 0;
