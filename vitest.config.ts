import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";
// @ts-expect-error: a plain program, which runs without a build.
import { keepFilesInMemory } from "./test/support/memory.mjs";

/** Tests wait more than they compute: for leases and for processes to start. */
const WORKERS_PER_CORE = 2;

keepFilesInMemory();

export default defineConfig({
  test: {
    ...(process.env.LOCKSTEP_CI_PART && { runner: "./test/support/part-runner.ts" }),
    maxWorkers: Math.ceil(availableParallelism() * WORKERS_PER_CORE),
    // How long a condition, and below a test, may take on a busy machine, not how long it should.
    expect: { poll: { timeout: 30_000 } },
    projects: [
      { extends: true, test: { name: "unit", include: ["test/unit/**/*.test.ts"] } },
      { extends: true, test: { name: "model", include: ["test/model/**/*.test.ts"] } },
      {
        extends: true,
        test: {
          name: "integration",
          include: ["test/integration/**/*.test.ts"],
          globalSetup: ["test/support/postgres-setup.ts"],
          testTimeout: 180_000,
          hookTimeout: 180_000,
        },
      },
      {
        extends: true,
        test: {
          name: "e2e",
          include: ["test/e2e/**/*.test.ts"],
          globalSetup: ["test/support/postgres-setup.ts"],
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
    ],
  },
});
