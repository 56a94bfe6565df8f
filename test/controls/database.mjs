// Negative controls of what is asked of PostgreSQL, and of which server.

/** @type {import("./controls.mjs").Control[]} */
export const databaseControls = [
  {
    rule: "a commit waits for the standby whatever synchronous_commit is by default",
    patches: [
      {
        file: "src/store/database/statement.ts",
        from: "return provesNothing ? begin : [...begin, WAIT_FOR_STANDBY];",
        to: "return provesNothing || WAIT_FOR_STANDBY ? begin : [];",
      },
    ],
    project: "integration",
    tests: "test/integration/transaction-settings.test.ts",
    name: "waits for the standby where commits have",
  },
  {
    rule: "a repository that exists already is one that the standby has",
    patches: [
      {
        file: "src/store/repository/repositories.ts",
        from: 'select from lockstep.repository where name = $1 for key share"',
        to: 'select from lockstep.repository where name = $1"',
      },
    ],
    project: "integration",
    tests: "test/integration/repositories.test.ts",
    name: "so that this answer waits for a synchronous standby",
  },
  {
    rule: "a decision is not compiled, whatever the planner expects of it",
    patches: [{ file: "src/store/database/statement.ts", from: '    "set local jit = off",\n', to: "" }],
    project: "integration",
    tests: "test/integration/transaction-settings.test.ts",
    name: "is never compiled",
  },
  {
    rule: "a server is known by its system too, since another one may have a timeline of the same number",
    patches: [
      {
        file: "migrations/functions/current_timeline.sql",
        from: "left(pg_walfile_name(pg_current_wal_lsn()), 8) || '/' || system",
        to: "left(pg_walfile_name(pg_current_wal_lsn()), 8)",
      },
    ],
    project: "integration",
    tests: "test/integration/restored-elsewhere.test.ts",
    name: "is another server all the same",
  },
  {
    rule: "a device leaves an old primary that lives on, where its URL names the new one too",
    patches: [
      {
        file: "src/sync/lease/lease.ts",
        from: "if (!(await goToNewest())) throw error;",
        to: "if (Date.now() > 0) throw error;",
      },
      {
        file: "src/sync/lease/lease.ts",
        from: "const late = setTimeout(goToNewest, WAITS.leaseProofMs);",
        to: "const late = undefined;",
      },
    ],
    project: "e2e",
    tests: "test/e2e/synchronous-standby.test.ts",
    name: "goes to the new one by itself",
  },
  {
    rule: "a device does not start at an old primary, where its URL names the new one too",
    patches: [
      { file: "src/sync/lease/acquire-lease.ts", from: "  await db.goToNewest();\n  for (;;) {", to: "  for (;;) {" },
    ],
    project: "e2e",
    tests: "test/e2e/synchronous-standby.test.ts",
    name: "goes to the new one when it starts",
  },
  {
    rule: "a transaction has its own isolation, whatever the default",
    patches: [
      { file: "src/store/database/statement.ts", from: '"begin isolation level read committed"', to: '"begin"' },
    ],
    project: "integration",
    tests: "test/integration/transaction-settings.test.ts",
    name: "has its own isolation and time limits",
  },
  {
    rule: "a setting that would do harm is refused before anything is served",
    patches: [
      {
        file: "src/store/database/server-settings.ts",
        from: "if (found === undefined || !wrong(found.setting)) continue;",
        to: "if (found === undefined || wrong !== undefined) continue;",
      },
    ],
    project: "integration",
    tests: "test/integration/harmful-settings.test.ts",
    name: "is refused before anything is served, with a remedy",
  },
  {
    rule: "a time never travels as text",
    patches: [
      { file: "src/store/database/connection-config.ts", from: "if (TIME_OIDS.has(oid)) return refuseTime;", to: "" },
    ],
    project: "integration",
    tests: "test/integration/odd-settings.test.ts",
    name: "answers with a time as text is a mistake",
  },
  {
    rule: "a permanent error is not told as lost races",
    patches: [
      {
        file: "src/store/database/sqlstate.ts",
        from: '    verdict: "refusal",\n    code: "PREREQUISITE_MISSING",\n    remedy:\n      "grant it',
        to: '    verdict: "race",\n    code: "PREREQUISITE_MISSING",\n    remedy:\n      "grant it',
      },
    ],
    project: "unit",
    tests: "test/unit/sqlstate.test.ts",
    name: "is a refusal with SQLSTATE 42501",
  },
  {
    rule: "what libpq takes from the environment is taken or named",
    patches: [{ file: "src/io/database-url/database-environment.ts", from: '  PGSSLMODE: "sslmode",\n', to: "" }],
    project: "unit",
    tests: "test/unit/database-url.test.ts",
    name: "never makes TLS weaker than it says",
  },
  {
    rule: "metrics tell nothing of before while the database is away",
    patches: [
      {
        file: "src/telemetry/metrics.ts",
        from: "const cluster = queue && (await this.#cluster.get());",
        to: "const cluster = await this.#cluster.get();",
      },
    ],
    project: "unit",
    tests: "test/unit/metrics-page.test.ts",
    name: "says that the database is away",
  },
  {
    rule: "the cluster is counted once at a time",
    patches: [
      {
        file: "src/telemetry/kept-answer.ts",
        from: "this.#asking ??= this.#ask();",
        to: "this.#asking = this.#ask();",
      },
    ],
    project: "unit",
    tests: "test/unit/kept-answer.test.ts",
    name: "asks once for callers that come at once",
  },
];
