// Negative controls of a crash, of a restored disk and of a restored database.

/** @type {import("./controls.mjs").Control[]} */
export const crashControls = [
  {
    rule: "a record that comes late does not raise a version that was lowered",
    patches: [
      {
        file: "src/store/replica/record-replica.ts",
        from: "and p.statement_number <= $11 returning",
        to: "and $11::bigint > 0 returning",
      },
    ],
    project: "integration",
    tests: "test/integration/late-records.test.ts",
    name: "does not raise a version that was lowered",
  },
  {
    rule: "a record may be overtaken by that of a newer version",
    patches: [
      {
        file: "src/store/replica/record-replica.ts",
        from: "set state = 'active', fence = $3, last_error = null,",
        to: "set state = 'active', fence = $3, statement_number = $11, last_error = null,",
      },
    ],
    project: "integration",
    tests: "test/integration/late-records.test.ts",
    name: "is overtaken by that of a newer version",
  },
  {
    rule: "the old process is gone before the device is taken over",
    patches: [
      {
        file: "src/git/root/root-lock.ts",
        from: "    if (!(await tryLock(file, options))) {",
        to: "    if (options.recordedPid === -1 && !(await tryLock(file, options))) {",
      },
    ],
    project: "integration",
    tests: "test/integration/root-lock.test.ts",
    name: "",
  },
  {
    rule: "locks that a dead process left are swept",
    patches: [
      {
        file: "src/sync/catch-up/recover.ts",
        from: "await sweep(replica.gitDir, young, { collecting: replica.collecting.isLocked(), ownAgeMs })",
        to: "[] as string[]",
      },
    ],
    project: "e2e",
    tests: "test/e2e/crash-points-push.test.ts",
    name: "push.prepared survives the death of its update-ref",
  },
  {
    rule: "objects are durable before the write is decided",
    patches: [{ file: "src/io/disk.ts", from: 'await sync(join(gitDir, "objects", "pack"));', to: "" }],
    project: "e2e",
    tests: "test/e2e/power-loss.test.ts",
    name: "right after it acknowledged the first push",
  },
  {
    rule: "another digest at the same version means that the database lost writes",
    patches: [
      {
        file: "src/sync/read/before-read.ts",
        from: "replica.appliedDigest !== found.digest",
        to: "replica.appliedDigest === ''",
      },
    ],
    project: "integration",
    tests: "test/integration/ahead.test.ts",
    name: "shows after the number was used again",
  },
  {
    rule: "what a disk holds is not folded backwards",
    patches: [
      {
        file: "src/sync/catch-up/recover.ts",
        from: '(standing?.standing === "ahead" || standing?.standing === "diverged")',
        to: "standing === null",
      },
    ],
    project: "integration",
    tests: "test/integration/ahead.test.ts",
    name: "shows when others have gone on since",
  },
  {
    rule: "what an operator gave up is kept aside",
    patches: [
      {
        file: "src/sync/replica/keep-given-up.ts",
        from: "if (last === undefined) return;",
        to: "if (last === undefined || Date.now() > 0) return;",
      },
    ],
    project: "integration",
    tests: "test/integration/thaw.test.ts",
    name: "keeps what was given up aside",
  },
  {
    rule: "a whole replica whose row does not say so is recorded, also at the same version",
    patches: [
      {
        file: "src/sync/catch-up/recover.ts",
        from: 'state === "active" ? version : UNRECORDED',
        to: 'state === "destroyed" ? UNRECORDED : version',
      },
    ],
    project: "integration",
    tests: "test/integration/recorded-state.test.ts",
    name: "a whole replica whose row says",
  },
];
