// Negative controls for directories that the database does not know, and for their adoption.

/** @type {import("./controls.mjs").Control[]} */
export const adoptControls = [
  {
    rule: "a new repository hides nothing on another device",
    patches: [
      {
        file: "src/sync/operator/refuse-occupied.ts",
        from: "const found = answers.find((answer) => answer.exists);",
        to: "const found = answers.find((answer) => answer.exists && answer.device === name);",
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
];
