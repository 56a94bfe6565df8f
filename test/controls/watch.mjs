// Negative controls of what is told to watchers and webhooks.

/** @type {import("./controls.mjs").Control[]} */
export const watchControls = [
  {
    rule: "what landed before a repository was removed is told",
    patches: [
      {
        file: "src/store/watch/landed.ts",
        from: 'const NAME = "coalesce(r.removed_name, r.name)";',
        to: 'const NAME = "case when r.removed_name is null then r.name end";',
      },
    ],
    project: "integration",
    tests: "test/integration/watch.test.ts",
    name: "tells what landed before a repository was removed",
  },
  {
    rule: "a position is told only when no lower one can be committed any more",
    patches: [
      {
        file: "src/sync/lease/log-tail.ts",
        from: "else this.#barrier ??= { upTo: handedOut, writers: new Set(writers) };",
        to: "else this.#reach(handedOut);",
      },
    ],
    project: "integration",
    tests: "test/integration/watch-order.test.ts",
    name: "tells no version before one with a lower position that commits later",
  },
  {
    rule: "a watcher begins only when what is under way is over",
    patches: [
      {
        file: "src/sync/lease/log-tail.ts",
        from: "return wanted !== undefined && settled !== undefined && settled >= wanted;",
        to: "return wanted !== undefined;",
      },
      {
        file: "src/sync/lease/log-tail.ts",
        from: "return found as Position;",
        to: "return found ?? this.#handedOut!;",
      },
    ],
    project: "integration",
    tests: "test/integration/watch-order.test.ts",
    name: "begins after what is under way has landed or not",
  },
  {
    rule: "a server that replaced another one hands out no position of that one",
    patches: [
      {
        file: "migrations/functions/note_timeline.sql",
        from: "(select max(l.position) from lockstep.ref_log l)) + 4294967296)",
        to: "(select max(l.position) from lockstep.ref_log l)))",
      },
    ],
    project: "integration",
    tests: "test/integration/watch-order.test.ts",
    name: "never reuses a position",
  },
  {
    rule: "an event that is to be visible everywhere waits for every live device",
    patches: [
      {
        file: "src/sync/watch/watch.ts",
        from: 'return this.#visible === "landed" || everywhere;',
        to: 'return this.#visible !== "everywhere" || everywhere || true;',
      },
    ],
    project: "integration",
    tests: "test/integration/watch-cursor.test.ts",
    name: "waits for each live device that has the repository",
  },
  {
    rule: "a cursor remembers the repositories that wait",
    patches: [
      {
        file: "src/sync/watch/watch.ts",
        from: "return writeCursor(this.#position, this.#held.values());",
        to: "return writeCursor(this.#position, []);",
      },
    ],
    project: "integration",
    tests: "test/integration/watch-cursor.test.ts",
    name: "comes from the cursor of a later event of another repository",
  },
  {
    rule: "progress of a webhook is recorded only by the incarnation that has it",
    patches: [
      {
        file: "src/store/watch/hooks.ts",
        from: "where id = $1 and device = $2 and fence = $3 and cursor in ($4, $5) returning 1",
        to: "where id = $1 and $2::text <> '' and $3::bigint > 0 and cursor in ($4, $5) returning 1",
      },
    ],
    project: "integration",
    tests: "test/integration/hook-device.test.ts",
    name: "records nothing once another one has the hook",
  },
  {
    rule: "a record of progress that changes no row ends the delivery",
    patches: [
      {
        file: "src/sync/hooks/deliver-hooks.ts",
        from: "if (!(await recordHookProgress(db, me, this.#hook.id, progress))) throw new HookGone();",
        to: "await recordHookProgress(db, me, this.#hook.id, progress);",
      },
    ],
    project: "integration",
    tests: "test/integration/hook-device.test.ts",
    name: "stops when another one has taken the hook over meanwhile",
  },
  {
    rule: "a webhook is not taken from an incarnation whose lease lasts",
    patches: [
      {
        file: "migrations/functions/claim_hooks.sql",
        from: "where d.name = h.device and d.fence = h.fence and d.expires_at > clock_timestamp())",
        to: "where d.name = h.device and d.fence = h.fence and d.expires_at > clock_timestamp() and false)",
      },
    ],
    project: "integration",
    tests: "test/integration/hook-device.test.ts",
    name: "records nothing once another one has the hook",
  },
  {
    rule: "an event goes only to addresses that are good when the connection is made",
    patches: [{ file: "src/sync/hooks/post-event.ts", from: "    lookup: lookupOf(allowed, url),\n", to: "" }],
    project: "integration",
    tests: "test/integration/hook-addresses.test.ts",
    name: "leads elsewhere from some event on",
  },
];
