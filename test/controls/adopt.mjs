// Negative controls for directories that the database does not know, and for their adoption.

/** @type {import("./controls.mjs").Control[]} */
export const adoptControls = [
  {
    rule: "a new repository hides nothing on another device",
    patches: [
      {
        file: "src/sync/operator/refuse-occupied.ts",
        from: "answers.filter((answer) => answer.exists)",
        to: "answers.filter((answer) => answer.exists && answer.device === name)",
      },
    ],
    project: "integration",
    tests: "test/integration/create-repository.test.ts",
    name: "is refused where another live device has a directory",
  },
  {
    rule: "a replica that the database has forgotten is not moved aside",
    patches: [
      {
        file: "src/sync/replica/prepare-directory.ts",
        from: 'if (error instanceof LockstepError && error.code === "REPLICA_NOT_FOUND") return false;',
        to: 'if (error instanceof LockstepError && error.code === "REPLICA_NOT_FOUND") return true;',
      },
    ],
    project: "integration",
    tests: "test/integration/create-repository.test.ts",
    name: "never moves aside a replica that the database has forgotten",
  },
  {
    rule: "a directory is taken over only with the refs of a version",
    patches: [
      {
        file: "src/sync/replica/take-over.ts",
        from: '    (how === "known" ? await firstVersion(db, id) : undefined);',
        to: "    (await firstVersion(db, id));",
      },
    ],
    project: "integration",
    tests: "test/integration/adopt-several.test.ts",
    name: "on a device that was away is taken over later",
  },
  {
    rule: "refs that differ between devices are found by their digest",
    patches: [
      {
        file: "src/sync/adopt/plan-adoption.ts",
        from: 'found.filter((answer) => answer.digest !== digest.toString("hex"))',
        to: "found.filter((answer) => answer.digest === null)",
      },
    ],
    project: "integration",
    tests: "test/integration/adopt-several.test.ts",
    name: "is refused with each ref that differs",
  },
  {
    rule: "a push that began before the adoption lands, and is not folded away",
    patches: [
      {
        file: "src/sync/catch-up/recover.ts",
        from: "  if (late && record && settlements.length === 0) {",
        to: "  if (late && record && settlements.length > 100) {",
      },
    ],
    project: "integration",
    tests: "test/integration/adopt-beside-pushes.test.ts",
    name: "lands as a write of its own when it ends after the adoption",
  },
  {
    rule: "a push that began before the adoption takes nothing back that has landed since",
    patches: [
      {
        file: "src/sync/catch-up/land-late.ts",
        from: "oldValue !== newValue && value(head, name) === oldValue)",
        to: "oldValue !== newValue && value(head, name) !== newValue)",
      },
    ],
    project: "integration",
    tests: "test/integration/adopt-beside-pushes.test.ts",
    name: "loses to a write that has landed on the same ref",
  },
  {
    rule: "an adoption that nobody will finish is taken back",
    patches: [
      {
        file: "src/sync/adopt/scan-root.ts",
        from: "      await undoUnfinished(this.#context, path, repository);\n",
        to: "      if (path === repository) await undoUnfinished(this.#context, path, repository);\n",
      },
    ],
    project: "integration",
    tests: "test/integration/adopt-repository.test.ts",
    name: "whose adoption was killed before the database knew it",
  },
  {
    rule: "a forgotten replica comes back above every noted version",
    patches: [
      {
        file: "src/sync/adopt/plan-adoption.ts",
        from: "  const version = highest + 1n;",
        to: "  const version = note === null ? highest + 1n : 1n;",
      },
    ],
    project: "integration",
    tests: "test/integration/adopt-beside-pushes.test.ts",
    name: "comes back above its version",
  },
];
