// Negative controls of the queue for a repository's turn.

/** @type {import("./controls.mjs").Control[]} */
export const turnControls = [
  {
    rule: "tickets appear in the order of their numbers",
    patches: [
      {
        file: "migrations/functions/take_turn.sql",
        from: "  perform 1 from lockstep.repository r where r.id = p_repository for no key update;\n",
        to: "",
      },
    ],
    project: "integration",
    tests: "test/integration/turns.test.ts",
    name: "while a ticket with a lower number may still appear",
  },
  {
    rule: "a push keeps its ticket through all its attempts",
    patches: [{ file: "src/sync/push/push-writer.ts", from: "      ticket: this.#races.ticket,\n", to: "" }],
    project: "integration",
    tests: "test/integration/turn-queue.test.ts",
    name: "the rule of copies has risen",
  },
  {
    rule: "a push has its ticket renewed until it gives it back",
    patches: [
      {
        file: "src/sync/turn/turn.ts",
        from: "    if (!this.#kept) sessions.turns.keep(this.#context, this.#ticket);\n",
        to: "",
      },
    ],
    project: "integration",
    tests: "test/integration/turn-queue.test.ts",
    name: "pushes that wait for the turn keep the turn while they catch up",
  },
  {
    rule: "waiting for the turn writes nothing",
    patches: [
      {
        file: "src/sync/turn/turn.ts",
        from: "first = seen === undefined ? await",
        to: "first = seen !== true ? await",
      },
    ],
    project: "integration",
    tests: "test/integration/turn-queue.test.ts",
    name: "take a ticket each",
  },
  {
    rule: "a repository is locked no more strongly than its foreign keys bear",
    patches: [
      {
        file: "migrations/functions/stop_repository.sql",
        from: "for no key update;",
        to: "for update;",
      },
    ],
    project: "integration",
    tests: "test/integration/lock-order.test.ts",
    name: "where the push has the turn.*stop_repository",
  },
];
