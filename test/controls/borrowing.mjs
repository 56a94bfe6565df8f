// Negative controls of replicas whose files lead git to other directories.

/** @type {import("./controls.mjs").Control[]} */
export const borrowingControls = [
  {
    rule: "no git starts in a replica that leads elsewhere",
    patches: [
      {
        file: "src/git/borrowing/borrowing.ts",
        from: "if (part === undefined) return;",
        to: "if (part !== gitDir) return;",
      },
    ],
    project: "integration",
    tests: "test/integration/borrowing-replica.test.ts",
    name: "is neither read, sent",
  },
  {
    rule: "a read of a replica that leads elsewhere is refused before a front end's git",
    patches: [{ file: "src/sync/device/replica-mutex.ts", from: "    assertAlone(gitDir);\n", to: "" }],
    project: "integration",
    tests: "test/integration/borrowing-replica.test.ts",
    name: "commondir is neither read, sent",
  },
  {
    rule: "a scratch has no alternate but its replica",
    patches: [{ file: "src/git/scratch/scratch-changes.ts", from: "  await pointScratch(path, gitDir);\n", to: "" }],
    project: "integration",
    tests: "test/integration/borrowing-replica.test.ts",
    name: "brings no object of theirs",
  },
];
