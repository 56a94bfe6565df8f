// Negative controls of the decision: which write lands, and which version a replica and a read have.

/** @type {import("./controls.mjs").Control[]} */
export const decisionControls = [
  {
    rule: "a read of a replica asks for the head first",
    patches: [
      {
        file: "src/sync/read/before-read.ts",
        from: "if (replica.applied !== undefined && replica.applied >= head) {",
        to: "if (replica.applied !== undefined) {",
      },
    ],
    project: "integration",
    tests: "test/integration/before-read.test.ts",
    name: "returns with at least the head of when it came",
  },
  {
    rule: "a read shares the next question to the database, never the one under way",
    patches: [
      {
        file: "src/sync/lease/head-reader.ts",
        from: "      this.#next = [];\n      this.queries",
        to: "      this.queries",
      },
      {
        file: "src/sync/lease/head-reader.ts",
        from: "for (const waiter of batch) waiter.resolve(heads);",
        to: "for (const waiter of batch) waiter.resolve(heads);\n        this.#next = [];",
      },
    ],
    project: "integration",
    tests: "test/integration/before-read.test.ts",
    name: "never shares a question that was asked before it came",
  },
  {
    rule: "the pusher hears of a write after the decision",
    patches: [
      {
        file: "src/hook/receive-push.ts",
        from: "    const report = await push(context, request, pusher, git);\n",
        to: '    send("O", encodeReport(PushReport.of(request.updates)));\n    send("X", "0");\n    const report = await push(context, request, pusher, git);\n',
      },
    ],
    project: "e2e",
    tests: "test/e2e/crash-points-push.test.ts",
    name: "push.staged survives the death of its sidecar",
  },
  {
    rule: "after an error of the decision the row is asked, and obeyed",
    patches: [
      {
        file: "src/sync/write/decide.ts",
        from: "  const settled = await settle(",
        to: "  if (Date.now() > 0) return why;\n  const settled = await settle(",
      },
    ],
    project: "integration",
    tests: "test/integration/decide.test.ts",
    name: "",
  },
  {
    rule: "a write is final: a dropped one does not land later",
    patches: [
      {
        file: "migrations/functions/bump.sql",
        from: "  elsif attempt.status is distinct from 'staged' then\n    outcome := 'dropped'; detail := attempt.drop_reason; return;\n",
        to: "",
      },
    ],
    project: "integration",
    tests: "test/integration/bump-refused.test.ts",
    name: "",
  },
  {
    rule: "old values are those of the fold",
    patches: [
      {
        file: "migrations/functions/bump.sql",
        from: "if not lockstep.old_values_hold(p_repository, p_names, p_old_values) then",
        to: "if p_names is null then",
      },
    ],
    project: "integration",
    tests: "test/integration/bump-refused.test.ts",
    name: "",
  },
  {
    rule: "the plan of a catch-up is made under the mutex",
    patches: [
      { file: "src/sync/catch-up/follow-log.ts", from: "    if (replica.applied !== mine) return true;\n", to: "" },
    ],
    project: "integration",
    tests: "test/integration/catch-up-flights.test.ts",
    name: "do not undo each other",
  },
  {
    rule: "a replica has a version when its refs are on disk, not when it is decided",
    patches: [
      {
        file: "src/sync/write/attempt.ts",
        from: '  await crashPoint("push.decided");',
        to: '  replica.applied = decision.version;\n  replica.appliedDigest = digest.toString("hex");\n  await crashPoint("push.decided");',
      },
    ],
    project: "integration",
    tests: "test/integration/before-read.test.ts",
    name: "waits for the refs of a write that is decided and not yet on disk",
  },
  {
    rule: "a replica takes what the log says, whatever refs its source has",
    patches: [
      {
        file: "src/sync/catch-up/follow-log.ts",
        from: "changes.map(({ name, newValue }) => [name, newValue])",
        to: "changes.map(({ name }) => [name, wants[0] ?? null])",
      },
    ],
    project: "integration",
    tests: "test/integration/catch-up.test.ts",
    name: "brings many versions at once",
  },
  {
    rule: "a replica that is being changed is not believed to hold what it held",
    patches: [
      {
        file: "src/sync/write/attempt.ts",
        from: "const doubted = doubtReplicaRecord(replica.gitDir, noted);",
        to: "const doubted = Promise.resolve();",
      },
    ],
    project: "integration",
    tests: "test/integration/ahead.test.ts",
    name: "whose sidecar was killed between the first ref and the note",
  },
  {
    rule: "a repository is followed once",
    patches: [
      {
        file: "src/sync/catch-up/follower.ts",
        from: "if (this.#following.has(found.id)) this.#following",
        to: "if (!found.id) this.#following",
      },
    ],
    project: "integration",
    tests: "test/integration/hung-sources.test.ts",
    name: "follow a repository once, however often they hear of it",
  },
  {
    rule: "the fence (its absence must not be found: base, old values and the final status carry the safety, the fence is depth)",
    patches: [
      {
        file: "migrations/functions/bump.sql",
        from: "    from lockstep.device d where d.name = p_device and d.fence = p_fence for key share;\n  if not found then outcome := 'fenced'; return; end if;\n",
        to: "    from lockstep.device d where d.name = p_device for key share;\n",
      },
    ],
    project: "e2e",
    tests: "test/e2e/crash-points-push.test.ts",
    name: "push.(staged|deciding|decided) survives the death of its (sidecar|device)",
    mustFail: false,
  },
];
