// The runner of vitest where `.ci/run` takes one part of the tests that take long (../deep.mjs): skips the tests of the other parts.
import { relative } from "node:path";
import { type TestContext, TestRunner } from "vitest";
// @ts-expect-error: a plain program, which runs without a build.
import { runsTest } from "../deep.mjs";

// biome-ignore lint/style/noDefaultExport: vitest asks for one.
export default class PartRunner extends TestRunner {
  /** How many tests each file has defined so far. */
  readonly #defined = new Map<string, number>();

  /** vitest calls it for each test while it collects a file, before it decides which suites have nothing to run. */
  override extendTaskContext(context: TestContext): TestContext {
    const { task } = context;
    const file = relative(this.config.root, task.file.filepath);
    const index = this.#defined.get(file) ?? 0;
    this.#defined.set(file, index + 1);
    if (!runsTest(file, index)) Object.assign(task, { mode: "skip" });
    return super.extendTaskContext(context);
  }
}
