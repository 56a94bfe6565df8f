// Negative controls of the push log, the pull log and the sync log.

const pushLog = { project: "integration", tests: "test/integration/push-log.test.ts" };
const integration = { project: "integration", tests: "test/integration/event-logs.test.ts" };
const unit = { project: "unit", tests: "test/unit/event-log.test.ts" };

/** @type {import("./controls.mjs").Control[]} */
export const eventLogControls = [
  {
    rule: "a push keeps its answer, though it cannot be noted for the push log",
    patches: [
      {
        file: "src/hook/push-event.ts",
        from: 'context.log.error({ repository: push.repository, err: describe(error) }, "could not note a push for the push log");',
        to: "throw error;",
      },
    ],
    ...pushLog,
    name: "keeps its answer, though it cannot be noted",
  },
  {
    rule: "a push that was refused before its upload is in the push log",
    patches: [{ file: "src/sync/activity/note-read.ts", from: 'if (what === "push")', to: "if (what === undefined)" }],
    ...pushLog,
    name: "has pushes that were refused before their upload",
  },
  {
    rule: "a failed catch-up is in the sync log with git's words",
    patches: [
      {
        file: "src/sync/catch-up/catch-up.ts",
        from: "error: describe(error), said, broken",
        to: "error: describe(error), said: null, broken",
      },
    ],
    ...integration,
    name: "has each catch-up, and git's own words where one failed",
  },
  {
    rule: "rows that the database refuses hold up no later ones",
    patches: [
      {
        file: "src/sync/activity/keep-writing.ts",
        from: "    if (isRefused) events.drop(pushes.length > 0 ? pushes : pulls, BATCH);\n",
        to: "    if (!isRefused) events.drop(pushes, 0);\n",
      },
    ],
    ...integration,
    name: "are dropped and counted when the database refuses them",
  },
  {
    rule: "a sample of the pull log stands for all reads",
    patches: [
      { file: "src/activity/event-log.ts", from: "standsFor: each + (index < more ? 1 : 0)", to: "standsFor: 1" },
    ],
    ...unit,
    name: "are a sample of more reads",
  },
  {
    rule: "rows that nobody writes fill no memory",
    patches: [{ file: "src/activity/event-log.ts", from: "    rows.splice(0, tooMany);\n", to: "" }],
    ...unit,
    name: "are the newest 5,000",
  },
];
