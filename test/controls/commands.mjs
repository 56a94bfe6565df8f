// Negative controls of the queue of commands.

/** @type {import("./controls.mjs").Control[]} */
export const commandControls = [
  {
    rule: "the state of a replica is read before each command",
    patches: [
      {
        file: "src/queue/run-commands.ts",
        from: "if (!performer.states.includes(replica.state))",
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
];
