// The runner of vitest in `.ci/run`, which runs one part of the long tests (../deep.mjs). It skips the tests of the
// other parts.
import { relative } from "node:path";
import { type TestContext, TestRunner } from "vitest";
// @ts-expect-error: a plain program, which runs without a build.
import { ruleOf, runsTest } from "../deep.mjs";

// biome-ignore lint/style/noDefaultExport: vitest asks for one.
export default class PartRunner extends TestRunner {
  /** The number of tests that each file, and each rule of a file, has so far. */
  readonly #defined = new Map<string, number>();

  /** Skips a test of another part. vitest calls this for each test of a file before it decides which suites to run. */
  override extendTaskContext(context: TestContext): TestContext {
    const { task } = context;
    const file = relative(this.config.root, task.file.filepath);
    const rule = ruleOf(file, { place: callerOutside(import.meta.filename), suite: task.suite?.fullTestName ?? "" });
    const number = { index: this.#count(file), row: this.#count(`${file} ${rule}`) };
    if (!runsTest(file, number)) Object.assign(task, { mode: "skip" });
    return super.extendTaskContext(context);
  }

  /** Returns how often it has been called with `key` before. */
  #count(key: string): number {
    const count = this.#defined.get(key) ?? 0;
    this.#defined.set(key, count + 1);
    return count;
  }
}

/** Returns the line and column from which vitest was called: those of `it` or of its table. */
function callerOutside(file: string): string {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 30;
  const lines = new Error().stack?.split("\n").slice(1) ?? [];
  Error.stackTraceLimit = limit;
  return lines.find((line) => line.includes("/") && !line.includes(file) && !line.includes("/node_modules/")) ?? "";
}
