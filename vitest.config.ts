import { configDefaults, defineConfig } from "vitest/config";
// @ts-expect-error: a plain program, which runs without a build.
import { filesOfOtherParts } from "./test/rotating-files.mjs";
import { LongestFirst } from "./test/support/longest-first.ts";
import { paceOfMachine } from "./test/support/machine.ts";
// @ts-expect-error: a plain program, which runs without a build.
import { keepFilesInMemory } from "./test/support/memory.mjs";

keepFilesInMemory();

const { maxWorkers, slowness } = paceOfMachine();
const exclude = [...configDefaults.exclude, ...filesOfOtherParts()];

export default defineConfig({
  test: {
    ...(process.env.LOCKSTEP_CI_PART && { runner: "./test/support/part-runner.ts" }),
    sequence: { sequencer: LongestFirst },
    maxWorkers,
    // How long a condition, and below a test, may take on a busy machine, not how long it should.
    expect: { poll: { timeout: 30_000 * slowness } },
    projects: [
      // No unit test leaves anything behind, so their files share one context: that saves half of their CPU time.
      {
        extends: true,
        test: { name: "unit", include: ["test/unit/**/*.test.ts"], isolate: false, testTimeout: 60_000 * slowness },
      },
      { extends: true, test: { name: "model", include: ["test/model/**/*.test.ts"], testTimeout: 60_000 * slowness } },
      {
        extends: true,
        test: {
          name: "integration",
          include: ["test/integration/**/*.test.ts"],
          exclude,
          globalSetup: ["test/support/postgres-setup.ts"],
          testTimeout: 180_000 * slowness,
          hookTimeout: 180_000 * slowness,
        },
      },
      {
        extends: true,
        test: {
          name: "e2e",
          include: ["test/e2e/**/*.test.ts"],
          exclude,
          globalSetup: ["test/support/postgres-setup.ts"],
          testTimeout: 300_000 * slowness,
          hookTimeout: 300_000 * slowness,
        },
      },
    ],
  },
});
