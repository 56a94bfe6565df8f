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
      { file: "src/git/objects-as-they-are.ts", from: 'GIT_NO_REPLACE_OBJECTS: "1",', to: "" },
      { file: "src/git/objects-as-they-are.ts", from: 'GIT_CONFIG_VALUE_0: "false"', to: 'GIT_CONFIG_VALUE_0: "true"' },
    ],
    tests: "test/torture/run.mjs",
    torture: ["--seconds", "60", "--seed", "3", "--faults", "^replacement refs$", "--every", "6"],
  },
];
