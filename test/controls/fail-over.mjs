// Negative controls of a synchronous standby, and of a new primary.

/** @type {import("./controls.mjs").Control[]} */
export const failOverControls = [
  {
    rule: "a decision that is found, and not made, waits for the standby",
    patches: [
      {
        file: "migrations/functions/bump.sql",
        from: "from lockstep.ref_log l where l.write_id = p_write for key share;",
        to: "from lockstep.ref_log l where l.write_id = p_write;",
      },
    ],
    project: "e2e",
    tests: "test/e2e/synchronous-standby.test.ts",
    name: "when its backend is terminated",
  },
  {
    rule: "a commit whose wait for the standby was ended is no success",
    patches: [
      {
        file: "src/store/database/run-statement.ts",
        from: "if (unconfirmed.length > 0)",
        to: "if (unconfirmed.length > 9)",
      },
    ],
    project: "e2e",
    tests: "test/e2e/synchronous-standby.test.ts",
    name: "when its backend is cancelled",
  },
  {
    rule: "a replica takes nothing over from the log that the standby does not have",
    patches: [
      {
        file: "src/sync/catch-up/confirm.ts",
        from: "replicated ? confirm(context,",
        to: "replicated && Date.now() < 0 ? confirm(context,",
      },
    ],
    project: "e2e",
    tests: "test/e2e/synchronous-standby.test.ts",
    name: "when its backend is cancelled",
  },
  {
    rule: "a server's word on the heads counts only with a proof that it is the primary",
    patches: [{ file: "src/sync/lease/read-proven-heads.ts", from: "  await lease.prove();\n", to: "" }],
    project: "integration",
    tests: "test/integration/lease-proof.test.ts",
    name: "a current replica is not read once the last renewal is older than the lease",
  },
  {
    rule: "after a fail-over nothing is decided before the leases of the old primary have ended",
    patches: [
      {
        file: "migrations/functions/old_leases_end.sql",
        from: "if known.since is null then",
        to: "if true then",
      },
    ],
    project: "integration",
    tests: "test/integration/old-leases.test.ts",
    name: "",
  },
  {
    rule: "a device has left the old primary when it says so, not when its renewal arrives at the new one",
    patches: [
      {
        file: "migrations/functions/renew_lease.sql",
        from: "case when p_timeline = here then here else d.timeline end",
        to: "here",
      },
    ],
    project: "integration",
    tests: "test/integration/old-leases.test.ts",
    name: "counts as one that still believes the old primary",
  },
  {
    rule: "a device that has found a new primary says so at once",
    patches: [
      {
        file: "src/sync/lease/lease.ts",
        from: "      this.#events.onFailOver();\n",
        to: "      this.#events.onFailOver();\n      return;\n",
      },
    ],
    project: "integration",
    tests: "test/integration/old-leases.test.ts",
    name: "says at once that it has left the old one",
  },
  {
    rule: "times of the old primary's clock are not compared with the new one's",
    patches: [
      {
        file: "migrations/functions/note_timeline.sql",
        from: "(select max(o.expires_at - o.ttl) from lockstep.device o where o.timeline is not distinct from d.timeline)",
        to: "clock_timestamp() - d.ttl",
      },
    ],
    project: "integration",
    tests: "test/integration/old-leases.test.ts",
    name: "clock of the old primary was an hour behind",
  },
  {
    rule: "a device on another root waits for a lease of the old primary by this server's clock",
    patches: [
      {
        file: "migrations/functions/take_over.sql",
        from: "greatest(held.expires_at, case when held.timeline is distinct from known.id then known.since + held.ttl end)",
        to: "held.expires_at",
      },
    ],
    project: "integration",
    tests: "test/integration/old-leases.test.ts",
    name: "on another root",
  },
  {
    rule: "what was read from one server is confirmed by none but that one",
    patches: [
      {
        file: "migrations/functions/confirm_reads.sql",
        from: "  if p_timeline is distinct from lockstep.current_timeline() then return 'elsewhere'; end if;\n",
        to: "",
      },
    ],
    project: "integration",
    tests: "test/integration/old-leases.test.ts",
    name: "from a log that another server told",
  },
  {
    rule: "the listening connection is replaced with the others",
    patches: [
      { file: "src/store/database/database.ts", from: "for (const replace of this.#replacements) replace();", to: "" },
    ],
    project: "integration",
    tests: "test/integration/notifications.test.ts",
    name: "takes a new connection when connections are replaced",
  },
  {
    rule: "a write that is dropped before it was staged is not staged afterwards",
    patches: [
      {
        file: "migrations/functions/stage_write.sql",
        from: "where w.id = p_write) <> 'staged' then",
        to: "where w.id = p_write) = 'landed' then",
      },
    ],
    project: "integration",
    tests: "test/integration/old-leases.test.ts",
    name: "a stage_write that was held up stages nothing",
  },
];
