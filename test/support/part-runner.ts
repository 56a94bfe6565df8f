// The runner of vitest in `.ci/run`, which runs one part of the long tests (../deep.mjs). It skips the tests of the
// other parts.
import { relative } from "node:path";
import { type TestContext, TestRunner } from "vitest";
// @ts-expect-error: a plain program, which runs without a build.
import { runsTest } from "../deep.mjs";

// biome-ignore lint/style/noDefaultExport: vitest asks for one.
export default class PartRunner extends TestRunner {
  /** The number of tests that each file has defined so far. */
  readonly #defined = new Map<string, number>();

  /** Skips a test of another part. vitest calls this for each test of a file before it decides which suites to run. */
  override extendTaskContext(context: TestContext): TestContext {
    const { task } = context;
    const file = relative(this.config.root, task.file.filepath);
    const index = this.#defined.get(file) ?? 0;
    this.#defined.set(file, index + 1);
    if (!runsTest(file, index)) Object.assign(task, { mode: "skip" });
    return super.extendTaskContext(context);
  }
}
