// Negative controls of what git does with the refs of a push: transactions, policy, aliases.

/** @type {import("./controls.mjs").Control[]} */
export const refTransactionControls = [
  {
    rule: "a git that was started early is used once",
    patches: [
      { file: "src/git/transactions/started-transaction.ts", from: "    this.#transaction = undefined;\n", to: "" },
      // The transaction has this rule too and would refuse first, so it is taken away as well.
      {
        file: "src/git/transactions/ref-transaction.ts",
        from: "if (this.#asked || this.#over) throw",
        to: "if (Date.now() < 0) throw",
      },
    ],
    project: "integration",
    tests: "test/integration/apply-refs.test.ts",
    name: "uses a git that was started early for the first of two transactions only",
  },
  {
    rule: "a ref is made where deletions leave room for it, and nowhere else",
    patches: [
      { file: "src/sync/write/examine-refs.ts", from: "if (taken.leaveRoomFor(name)) taken", to: "if (taken) taken" },
    ],
    project: "integration",
    tests: "test/integration/refs-in-the-way.test.ts",
    name: "a push that is not atomic",
  },
  {
    rule: "an atomic push that git cannot do in one transaction is refused",
    patches: [
      {
        file: "src/sync/write/prepare-refs.ts",
        from: "examine(context, replica, updates, atomic && !bySession)",
        to: "examine(context, replica, updates, false)",
      },
    ],
    project: "integration",
    tests: "test/integration/refs-in-the-way.test.ts",
    name: "an atomic push",
  },
  {
    rule: "refs that need the room of deleted ones are made after those",
    patches: [
      {
        file: "src/sync/write/commit.ts",
        from: "await applyRefs(context.git, replica.gitDir, afterwards, { kept: replica.keptGit });",
        to: "",
      },
    ],
    project: "integration",
    tests: "test/integration/refs-in-the-way.test.ts",
    name: "a push that is not atomic",
  },
  {
    rule: "many bad refs are found at once",
    patches: [
      { file: "src/sync/write/prepare-refs.ts", from: "  let tried = 0;\n", to: "  let tried = 1;\n" },
      {
        file: "src/sync/write/prepare-refs.ts",
        from: "updates = refuse(updates, await remedies[0]());",
        to: "updates = refuse(updates, await remedies[1]());",
      },
    ],
    project: "integration",
    tests: "test/integration/many-refused-refs.test.ts",
    name: "cost a number of gits",
  },
  {
    rule: "the policy is asked for again when a file that is included appears",
    patches: [
      { file: "src/git/settings-watch.ts", from: "if (value !== null && /^include", to: "if (!value && /^include" },
    ],
    project: "integration",
    tests: "test/integration/policy.test.ts",
    name: "notices a file that was included",
  },
  {
    rule: "the policy is that of the git that received the push",
    patches: [
      {
        file: "src/git/settings-watch.ts",
        from: 'files.add(join(home, ".gitconfig"));',
        to: "",
      },
    ],
    project: "integration",
    tests: "test/integration/policy.test.ts",
    name: "obeys the configuration of the git server's user",
  },
  {
    rule: "a new ref has three parts",
    patches: [{ file: "src/acceptable-ref.ts", from: '  if (parts.length < 3) return "funny refname";\n', to: "" }],
    project: "integration",
    tests: "test/integration/push-policy.test.ts",
    name: "is refused by its name before anybody is asked",
  },
  {
    rule: "an alias is pushed through as far as it is what it was believed to be",
    patches: [{ file: "src/sync/push/aliases.ts", from: "      at = next;\n", to: "" }],
    project: "integration",
    tests: "test/integration/push-aliases.test.ts",
    name: "moves, deletes and makes its target",
  },
  {
    rule: "an alias that git keeps to itself is told of",
    patches: [{ file: "src/sync/push/held-back.ts", from: "found.set(name, target)", to: "found.delete(name)" }],
    project: "e2e",
    tests: "test/e2e/alias-with-target.test.ts",
    name: "into the directory",
  },
  {
    rule: "an alias that git keeps to itself is told of as its target",
    patches: [
      {
        file: "src/sync/push/held-back.ts",
        from: "report.has(target) ? report.reasonOf(target)",
        to: "report.has(target) ? null",
      },
    ],
    project: "e2e",
    tests: "test/e2e/alias-with-target.test.ts",
    name: "is refused for the same reason",
  },
  {
    rule: "a pre-receive of an operator's is not replaced",
    patches: [
      {
        file: "src/git/refs/alias-hook.ts",
        from: " || (found !== undefined && !isAliasHook(found))",
        to: "",
      },
    ],
    project: "e2e",
    tests: "test/e2e/alias-with-target.test.ts",
    name: "stays as it is",
  },
  {
    rule: "of two aliases of one ref the first is taken",
    patches: [
      {
        file: "src/sync/push/aliases.ts",
        from: 'if (each !== taken) refused.set(each.name, "failed to update ref");',
        to: "void [each, taken];",
      },
    ],
    project: "e2e",
    tests: "test/e2e/as-git-does.test.ts",
    name: "to two aliases of one branch",
  },
  {
    rule: "symbolic refs of a reftable are read from its tables",
    patches: [
      {
        file: "src/git/refs/reftable.ts",
        from: "else found.set(name, target);",
        to: 'else if (name === "HEAD") found.set(name, target);',
      },
    ],
    project: "integration",
    tests: "test/integration/aliases-reftable.test.ts",
    name: "a session changes",
  },
  {
    rule: "a symbolic ref that leads nowhere is read",
    patches: [
      {
        file: "src/git/refs/refs.ts",
        from: "of await readSymbolicRefs(gitDir, plain)) refs",
        to: "of await readSymbolicRefs(gitDir, plain)) if (refs.has(name)) refs",
      },
    ],
    project: "integration",
    tests: "test/integration/session-aliases.test.ts",
    name: "makes an alias that leads nowhere",
  },
  {
    rule: "what git does not prepare is looked at before the decision",
    patches: [{ file: "src/sync/write/prepare-refs.ts", from: " || looksAlone(updates)", to: "" }],
    project: "integration",
    tests: "test/integration/session-aliases.test.ts",
    name: "may not",
  },
  {
    rule: "a kept git writes in the directory of the replica, not in one that was there before",
    patches: [{ file: "src/git/transactions/kept-git.ts", from: " || !git.isIn(gitDir)", to: "" }],
    project: "integration",
    tests: "test/integration/kept-git.test.ts",
    name: "another directory has come to the place",
  },
  {
    rule: "a kept git is not used at a path to which the replica has moved",
    patches: [{ file: "src/git/transactions/update-ref.ts", from: "gitDir !== this.#gitDir || ", to: "" }],
    project: "integration",
    tests: "test/integration/kept-git.test.ts",
    name: "the replica has moved to another path",
  },
  {
    rule: "a kept git does not pass over a hook of an operator",
    patches: [{ file: "src/git/transactions/kept-git.ts", from: "hooks !== undefined || ", to: "" }],
    project: "integration",
    tests: "test/integration/kept-git.test.ts",
    name: "a hook of an operator is to be asked",
  },
  {
    rule: "no git is kept where it notes the author of each change",
    patches: [
      {
        file: "src/git/transactions/kept-git.ts",
        from: 'return isReftable(gitDir) || existsSync(join(gitDir, "logs"));',
        to: 'return isReftable(gitDir) && existsSync(join(gitDir, "logs"));',
      },
    ],
    project: "integration",
    tests: "test/integration/kept-git.test.ts",
    name: "git notes the author of each change",
  },
  {
    rule: "a kept git that has died is replaced",
    patches: [
      {
        file: "src/git/transactions/ref-transaction.ts",
        from: "!started && this.#isUsed",
        to: "!this.#isUsed && !started",
      },
    ],
    project: "integration",
    tests: "test/integration/kept-git.test.ts",
    name: "is replaced when it has died",
  },
];
