// Negative controls of writes that are decided without a row before.

const DECISION = { project: "integration", tests: "test/integration/bump-at-once.test.ts" };
const PUSH = { project: "integration", tests: "test/integration/push-at-once.test.ts" };

/** @type {import("./controls.mjs").Control[]} */
export const atOnceControls = [
  {
    rule: "a write that nobody staged gets a row when it is dropped",
    patches: [
      {
        file: "migrations/functions/settle_write.sql",
        from: "    from lockstep.repository r where r.id = p_repository\n",
        to: "    from lockstep.repository r where r.id = p_repository and exists (select from lockstep.write o where o.id = p_write)\n",
      },
    ],
    ...DECISION,
    name: "finds the row of a write that was dropped before it came",
  },
  {
    rule: "the row comes before the log, and a dropped one stops the decision",
    patches: [
      {
        file: "migrations/functions/bump.sql",
        from: "    if not found then outcome := 'dropped'; version := null; return; end if;\n",
        to: "",
      },
    ],
    ...DECISION,
    name: "waits for one that drops the write at this moment",
  },
  {
    rule: "a stop waits for decisions that nobody sees",
    patches: [
      {
        file: "migrations/functions/stop_new_writes.sql",
        from: "  select pg_advisory_xact_lock(hashtext('lockstep.stops'));\n",
        to: "",
      },
    ],
    ...DECISION,
    name: "is waited for by a stop of",
  },
  {
    rule: "a stop of new writes refuses writes that are not staged",
    patches: [
      {
        file: "migrations/functions/bump.sql",
        from: "lockstep.stop_reason(p_repository, not at_once)",
        to: "lockstep.stop_reason(p_repository, true)",
      },
    ],
    ...PUSH,
    name: "is refused with the reason if writes are stopped",
  },
  {
    rule: "a device that drains or only reads decides nothing at once",
    patches: [{ file: "migrations/functions/bump.sql", from: "not takes_writes or ", to: "" }],
    ...DECISION,
    name: "waits for a drain of its device that is under way",
  },
  {
    rule: "the number of copies may have risen",
    patches: [
      { file: "migrations/functions/bump.sql", from: "known.min_copies > 1 + cardinality(p_holders)", to: "false" },
    ],
    ...DECISION,
    name: "changes nothing if copies are wanted",
  },
  {
    rule: "a write that takes longer is seen",
    patches: [{ file: "src/sync/write/at-once.ts", from: "const UNSEEN_MS = 250;", to: "const UNSEEN_MS = 250_000;" }],
    ...PUSH,
    name: "that lasts longer is staged",
  },
  {
    rule: "an attempt that was not staged proves nothing about the disk",
    patches: [
      {
        file: "src/sync/write/attempt.ts",
        from: 'if (decision.outcome === "in_doubt" && !atOnce) await putInDoubt(replica);',
        to: 'if (decision.outcome === "in_doubt") await putInDoubt(replica);',
      },
    ],
    ...PUSH,
    name: "a push through an alias moves its target",
  },
  {
    rule: "a push after another makes one statement",
    patches: [{ file: "src/sync/push/push-writer.ts", from: "  #atOnce = true;", to: "  #atOnce = false;" }],
    project: "integration",
    tests: "test/integration/budgets.test.ts",
    name: "makes one statement, which is the decision",
  },
];
