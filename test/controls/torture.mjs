// Negative controls whose rule a bounded run of the torture must miss, with faults of one kind.

/** @type {import("./controls.mjs").Control[]} */
export const tortureControls = [
  {
    rule: "under torture: replacement refs are ignored",
    patches: [
      {
        file: "src/git/replica/repository.ts",
        from: "\tuseReplaceRefs = false\n[receive]",
        to: "\tuseReplaceRefs = true\n[receive]",
      },
      { file: "src/git/command/command.ts", from: 'GIT_NO_REPLACE_OBJECTS: "1",', to: "" },
      {
        file: "src/git/command/command.ts",
        from: '"core.useReplaceRefs": "false"',
        to: '"core.useReplaceRefs": "true"',
      },
    ],
    tests: "test/torture/run.mjs",
    torture: ["--seconds", "60", "--seed", "3", "--faults", "^replacement refs$", "--every", "6"],
  },
  {
    rule: "under torture: a server's word on the heads counts only with a proof that it is the primary",
    patches: [{ file: "src/sync/lease/read-proven-heads.ts", from: "  await lease.prove();\n", to: "" }],
    tests: "test/torture/run.mjs",
    torture: ["--seconds", "150", "--seed", "5", "--faults", "^fail-over$", "--every", "4"],
  },
  {
    rule: "under torture: a commit whose wait for the standby was ended is no success",
    patches: [
      {
        file: "src/store/database/run-statement.ts",
        from: "if (unconfirmed.length > 0)",
        to: "if (unconfirmed.length > 9)",
      },
    ],
    tests: "test/torture/run.mjs",
    torture: ["--seconds", "150", "--seed", "5", "--faults", "^standby away$", "--every", "4"],
  },
  {
    rule: "under torture: a copy is released only when the others have everything",
    patches: [
      {
        file: "migrations/functions/release_replica.sql",
        from: "if cardinality(lacking) > 0 or cardinality(holders) = 0 then",
        to: "if false then",
      },
    ],
    tests: "test/torture/run.mjs",
    torture: ["--seconds", "120", "--seed", "1", "--faults", "^(placement changes|cut from a device)$", "--every", "4"],
  },
];
