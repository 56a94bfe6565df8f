// Negative controls of the queue of commands.

/** @type {import("./controls.mjs").Control[]} */
export const commandControls = [
  {
    rule: "the state of a replica is read before each command",
    patches: [
      {
        file: "src/queue/run-commands.ts",
        from: "if (!states.includes(replica.state))",
        to: "if (replica.state === undefined)",
      },
    ],
    project: "integration",
    tests: "test/integration/run-commands.test.ts",
    name: "looks at the state of the replica before each command",
  },
  {
    rule: "a command has one outcome, recorded by the incarnation that carries it out",
    patches: [
      {
        file: "migrations/functions/end_command.sql",
        from: " and c.state = 'running' and c.fence = p_fence;",
        to: ";",
      },
    ],
    project: "integration",
    tests: "test/integration/commands.test.ts",
    name: "records one outcome",
  },
  {
    rule: "a command joins no equal one that was started",
    patches: [
      {
        file: "migrations/0001_tables.sql",
        from: "where state = 'queued' and attempts = 0;",
        to: "where state = 'queued';",
      },
      {
        file: "migrations/functions/enqueue_command.sql",
        from: "where state = 'queued' and attempts = 0",
        to: "where state = 'queued'",
      },
    ],
    project: "integration",
    tests: "test/integration/commands.test.ts",
    name: "never joins one that was started",
  },
  {
    rule: "a new incarnation starts again what the old one had begun",
    patches: [
      {
        file: "migrations/functions/take_over.sql",
        from: "where c.device = p_device and c.state = 'running' order by",
        to: "where false and c.state = 'running' order by",
      },
    ],
    project: "integration",
    tests: "test/integration/commands.test.ts",
    name: "records one outcome, by the incarnation",
  },
  {
    rule: "the repair loop finds what no notification told",
    patches: [
      {
        file: "migrations/functions/enqueue_repairs.sql",
        from: "from unnest(behind || page) wanted (id)",
        to: "from unnest(page) wanted (id)",
      },
    ],
    project: "integration",
    tests: "test/integration/repair-loop.test.ts",
    name: "finds a repository that was pushed to without a notification",
  },
  {
    rule: "a replica with an open command gets no second one from the repair loop",
    patches: [
      {
        file: "migrations/functions/enqueue_repairs.sql",
        from: "and c.command in ('provision', 'sync', 'repair', 'release')) = 0\n    group by",
        to: "and c.command in ('provision', 'sync', 'repair', 'release')) >= 0\n    group by",
      },
    ],
    project: "integration",
    tests: "test/integration/repair-loop.test.ts",
    name: "enqueues no command twice",
  },
  {
    rule: "a command is tried again until the disk has room",
    patches: [{ file: "src/queue/end-of-error.ts", from: '  "PREREQUISITE_MISSING",\n', to: "" }],
    project: "integration",
    tests: "test/integration/commands-that-fail.test.ts",
    name: "catches up once there is room again",
  },
  {
    rule: "a command whose repository was removed while it worked is superseded",
    patches: [
      {
        file: "src/queue/run-commands.ts",
        from: 'if (found !== undefined && "nothing" in found)',
        to: 'if (found === null && "nothing" in found)',
      },
    ],
    project: "integration",
    tests: "test/integration/commands-that-fail.test.ts",
    name: "is superseded: verify",
  },
  {
    rule: "a command whose error broke the replica is not superseded",
    patches: [{ file: "src/queue/run-commands.ts", from: '[...performer.states, "broken"]', to: "performer.states" }],
    project: "integration",
    tests: "test/integration/commands-that-fail.test.ts",
    name: "finds something else at the place of a new replica",
  },
  {
    rule: "a command whose repository was renamed while it worked is tried again",
    patches: [{ file: "src/queue/end-of-error.ts", from: '  "REPOSITORY_NOT_FOUND",\n', to: "" }],
    project: "integration",
    tests: "test/integration/commands-that-fail.test.ts",
    name: "is tried again under the new name",
  },
  {
    rule: "a gc that fails again and again ends, and others do not wait behind it",
    patches: [
      {
        file: "src/queue/performers.ts",
        from: 'gc: { states: ["active"], perform: gc, failures: OF_UPKEEP }',
        to: 'gc: { states: ["active"], perform: gc }',
      },
    ],
    project: "integration",
    tests: "test/integration/commands-that-fail.test.ts",
    name: "fails after ten errors if it is a gc",
  },
  {
    rule: "a command that has only waited does not fail at its first error",
    patches: [{ file: "src/queue/end-of-error.ts", from: "failures + 1 >= limit", to: "attempts >= limit" }],
    project: "integration",
    tests: "test/integration/commands-that-fail.test.ts",
    name: "does not fail at its first error if it has only waited before",
  },
  {
    rule: "a copy that is placed on the device again while its release begins is no failure",
    patches: [
      {
        file: "src/queue/performers.ts",
        from: "decided: keep_days !== undefined || removed !== undefined",
        to: "decided: removed !== undefined",
      },
    ],
    project: "integration",
    tests: "test/integration/release-replica.test.ts",
    name: "is placed on the device again while its release begins",
  },
];
