// Negative controls of what is kept, and for how long.

/** @type {import("./controls.mjs").Control[]} */
export const retentionControls = [
  {
    rule: "a landed write stays until its device knows the outcome, whatever the clock says",
    patches: [
      {
        file: "migrations/functions/trim_writes.sql",
        from: "where o.status = 'dropped' or d.name is null",
        to: "where o.status in ('dropped', 'landed') or d.name is null",
      },
    ],
    project: "integration",
    tests: "test/integration/trim-writes.test.ts",
    name: "while its device does not know the outcome",
  },
  {
    rule: "a version that was trimmed is no version that the database lost",
    patches: [
      {
        file: "migrations/functions/standing.sql",
        from: "when l.digest is null and d.version > 0 and d.version <= r.log_base then 'trimmed'\n      when l.digest is null then 'unknown'",
        to: "when l.digest is null and d.version > 0 then 'ahead'",
      },
    ],
    project: "integration",
    tests: "test/integration/trimmed-away.test.ts",
    name: "is no sign of a database that lost writes",
  },
  {
    rule: "refs that a trimmed log may never have known are kept before they are replaced",
    patches: [
      {
        file: "src/sync/catch-up/recover.ts",
        from: 'if (replica.mutex.changedByOthers || late || standing?.standing === "trimmed")',
        to: "if (replica.mutex.changedByOthers || late)",
      },
    ],
    project: "integration",
    tests: "test/integration/trimmed-away.test.ts",
    name: "keeps refs that the log may never have known",
  },
  {
    rule: "the versions of a thaw are never trimmed",
    patches: [
      { file: "migrations/functions/trim_log.sql", from: "and not o.settles", to: "and (not o.settles or o.settles)" },
    ],
    project: "integration",
    tests: "test/integration/trimmed-away.test.ts",
    name: "still learns which refs an operator gave up",
  },
  {
    rule: "files that were moved aside stay while this device has no whole replica",
    patches: [
      {
        file: "src/sync/retention/trim-files.ts",
        from: 'const gone = due.filter((entry) => whole.has(idOf(entry) ?? ""));',
        to: 'const gone = due.filter((entry) => whole.has(idOf(entry) ?? "") || idOf(entry) !== "");',
      },
    ],
    project: "integration",
    tests: "test/integration/trim-disk.test.ts",
    name: "they may be the only copy",
  },
  {
    rule: "a clock that jumps ages what is kept by one day at most",
    patches: [
      {
        file: "src/git/beside/kept-notes.ts",
        from: "{ days: known.days + 1, last: today }",
        to: "{ days: known.days + (Date.parse(today) - Date.parse(known.last)) / 86_400_000, last: today }",
      },
    ],
    project: "integration",
    tests: "test/integration/trim-disk.test.ts",
    name: "age by one day at most",
  },
];
