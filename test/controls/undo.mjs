// Negative controls of the undo of a version.

/** @type {import("./controls.mjs").Control[]} */
export const undoControls = [
  {
    rule: "an undo is refused if one of its refs has changed again since",
    patches: [
      {
        file: "src/sync/undo/undo-plan.ts",
        from: "if (others.length === 0) return;",
        to: "if (others.length >= 0) return;",
      },
    ],
    project: "integration",
    tests: "test/integration/undo-refused.test.ts",
    name: "if a ref has changed again since",
  },
  {
    rule: "an undo makes only the changes that were shown",
    patches: [
      {
        file: "src/sync/undo/undo-version.ts",
        from: "if (request.confirmation !== confirmation) throw",
        to: "if (request.confirmation === undefined) throw",
      },
    ],
    project: "integration",
    tests: "test/integration/undo-refused.test.ts",
    name: "if a ref changes between the plan and the yes",
  },
  {
    rule: "the objects of an undo are written anew before it lands, and so escape a clean-up",
    patches: [
      {
        file: "src/sync/undo/undo-version.ts",
        from: "  await renew(context, replica, plan, signal);",
        to: "  if (Date.now() < 0) await renew(context, replica, plan, signal);",
      },
    ],
    project: "integration",
    tests: "test/integration/undo-objects.test.ts",
    name: "are as young as those of a push",
  },
];
