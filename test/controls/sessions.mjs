// Negative controls of write sessions: whose they are, and what they land.

/** @type {import("./controls.mjs").Control[]} */
export const sessionControls = [
  {
    rule: "the id of a write gives nobody its session",
    patches: [
      {
        file: "migrations/functions/begin_session.sql",
        from: "      or known.caller <> p_caller or known.token_hash <> p_token_hash) then\n",
        to: "      ) then\n",
      },
      {
        file: "migrations/functions/take_turn.sql",
        from: " and w.device = p_device and w.caller = p_caller)",
        to: ")",
      },
      {
        file: "migrations/functions/take_turn.sql",
        from: " or known.caller is distinct from p_caller) then",
        to: ") then",
      },
    ],
    project: "e2e",
    tests: "test/e2e/session-callers.test.ts",
    name: "that of ops to web",
  },
  {
    rule: "a call with another's write id does not take its ticket",
    patches: [
      {
        file: "migrations/functions/take_turn.sql",
        from: " or known.caller is distinct from p_caller) then",
        to: ") then",
      },
    ],
    project: "integration",
    tests: "test/integration/begin-write-ids.test.ts",
    name: "the ticket with which a push waits",
  },
  {
    rule: "a call with another's write id does not drop it",
    patches: [
      {
        file: "migrations/functions/take_turn.sql",
        from: "then return 'used'; end if;",
        to: "then null; end if;",
      },
      {
        file: "migrations/functions/give_up_session.sql",
        from: "w.id = p_write and w.session and w.status = 'staged' and w.device = p_device and w.caller = p_caller;",
        to: "w.id = p_write and w.status = 'staged';",
      },
      {
        file: "src/sync/session/begin-write.ts",
        from: "if (error instanceof IdInUse || hadBegun) return;",
        to: "if (hadBegun) return;",
      },
    ],
    project: "integration",
    tests: "test/integration/begin-write-ids.test.ts",
    name: "a push that is being decided",
  },
  {
    rule: "a token serves its caller only",
    patches: [
      {
        file: "src/sync/session/renew-write.ts",
        from: "if (session.caller === callerText(caller) || (caller.role ===",
        to: "if (session.caller || (caller.role ===",
      },
    ],
    project: "e2e",
    tests: "test/e2e/session-callers.test.ts",
    name: "what web began wiki",
  },
  {
    rule: "only operators drop a session by its id",
    patches: [
      {
        file: "src/sync/session/abort-write.ts",
        from: 'if (caller.role !== "operator") {',
        to: "if (caller.role === undefined) {",
      },
    ],
    project: "e2e",
    tests: "test/e2e/session-callers.test.ts",
    name: "cannot drop it by its id",
  },
  {
    rule: "a call that is cut off does not end what its repetition waits for",
    patches: [
      { file: "src/sync/device/begin-calls.ts", from: "    if (calls.running > 0) return;\n", to: "" },
      {
        file: "src/sync/session/begin-write.ts",
        from: "      if (begun && request.signal.aborted) return;\n",
        to: "",
      },
    ],
    project: "integration",
    tests: "test/integration/begin-write.test.ts",
    name: "while the first is at work",
  },
  {
    rule: "the caller of a session works in a scratch repository",
    patches: [
      {
        file: "src/sync/session/begin-write.ts",
        from: "expiresAt, path };",
        to: "expiresAt, path: replica.gitDir };",
      },
    ],
    project: "integration",
    tests: "test/integration/write-session.test.ts",
    name: "lands what was created, moved and deleted",
  },
  {
    rule: "what was changed on live files is kept before anything is folded",
    patches: [{ file: "src/sync/catch-up/recover.ts", from: "    await endLive(context, replica);\n", to: "" }],
    project: "integration",
    tests: "test/integration/live-session.test.ts",
    name: "whose sidecar died is kept before the first read folds it away",
  },
  {
    rule: "a session whose lease ran out has lost",
    patches: [
      {
        file: "migrations/functions/bump.sql",
        from: "(holder is not null or attempt.session) then outcome := 'turn'",
        to: "holder is not null then outcome := 'turn'",
      },
      {
        file: "migrations/functions/stage_write.sql",
        from: "(holder is not null or p_session) then",
        to: "holder is not null then",
      },
    ],
    project: "integration",
    tests: "test/integration/write-session-ends.test.ts",
    name: "lives as long as it is renewed, and is dropped when its lease runs out",
  },
  {
    rule: "a session lands nothing that is not whole",
    patches: [
      {
        file: "src/sync/session/bump-version.ts",
        from: "if (incomplete.size > 0) throw",
        to: "if (incomplete.size < 0) throw",
      },
    ],
    project: "integration",
    tests: "test/integration/whole-updates.test.ts",
    name: "lands nothing that rests on unreferenced objects of the replica",
  },
  {
    rule: "a dropped session keeps its changes if its scratch cannot be read for a moment",
    patches: [
      {
        file: "src/git/scratch/scratch-changes.ts",
        from: "base && (await readScratch(context, path, signal))",
        to: "base && (await readScratch(context, path, signal).catch(() => undefined))",
      },
    ],
    project: "integration",
    tests: "test/integration/write-session-ends.test.ts",
    name: "keeps its changes if the sidecar ends",
  },
  {
    rule: "a session whose outcome was trimmed belongs to its repository, not to another one of that name",
    patches: [
      {
        file: "src/sync/session/end-sessions.ts",
        from: "if (id === undefined) return undefined;",
        to: "if (id === undefined || Date.now() > 0) return undefined;",
      },
    ],
    project: "integration",
    tests: "test/integration/remove-repository.test.ts",
    name: "keeps those changes also if the session's outcome was trimmed",
  },
  {
    rule: "a live session that began after the question is not over",
    patches: [{ file: "src/sync/session/end-sessions.ts", from: "live.includes(writeId) && ", to: "" }],
    project: "integration",
    tests: "test/integration/live-session.test.ts",
    name: "goes on if it began while the device asked",
  },
];
