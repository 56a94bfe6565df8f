// Negative controls for git's hooks, and for refs with two names.

/** @type {import("./controls.mjs").Control[]} */
export const gitHookControls = [
  {
    rule: "no hook of a device can refuse what has landed",
    patches: [
      {
        file: "src/git/command/environment.ts",
        from: 'hooks === undefined ? "/dev/null"',
        to: "hooks === undefined ? false",
      },
    ],
    project: "e2e",
    tests: "test/e2e/side-effects.test.ts",
    name: "cannot keep a device from following what has landed elsewhere",
  },
  {
    rule: "a ref for which a deletion makes room is refused where a hook would have to be asked",
    patches: [{ file: "src/sync/write/prepare-refs.ts", from: "if (unasked.size > 0) {", to: "if (Date.now() < 0) {" }],
    project: "e2e",
    tests: "test/e2e/side-effects.test.ts",
    name: "is not passed by where a deletion makes room",
  },
  {
    rule: "a git that was started early is not used where hooks lie elsewhere",
    patches: [
      {
        file: "src/sync/push/push.ts",
        from: "const transaction = hooksElsewhere ? undefined : started?.transaction;",
        to: "const transaction = started?.transaction;",
      },
    ],
    project: "e2e",
    tests: "test/e2e/side-effects.test.ts",
    name: "is run from the folder of hooks that the git server",
  },
  {
    rule: "a ref that one push names twice is refused",
    patches: [
      {
        file: "src/sync/push/push-policy.ts",
        from: "twice.has(update.name) ? NAMED_TWICE : null",
        to: "twice.has(update.name) && Date.now() < 0 ? NAMED_TWICE : null",
      },
    ],
    project: "e2e",
    tests: "test/e2e/side-effects.test.ts",
    name: "a push that gives one ref two values",
  },
  {
    rule: "a hook that another user could have put there is not run",
    patches: [{ file: "src/git/ref-hook.ts", from: "if (loose === undefined) return hooks;", to: "return hooks;" }],
    project: "integration",
    tests: "test/integration/malicious-hooks.test.ts",
    name: "that others may write is not run",
  },
  {
    rule: "no git of the sidecar fetches missing objects from a remote that a repository names",
    patches: [
      { file: "src/git/command/environment.ts", from: "    GIT_ALLOW_PROTOCOL: protocols,\n", to: "" },
      {
        file: "src/git/command/environment.ts",
        from: `settings name.\n    GIT_NO_LAZY_FETCH: "1",\n`,
        to: "settings name.\n",
      },
    ],
    project: "integration",
    tests: "test/integration/malicious-repository.test.ts",
    name: "a promisor with ext::",
  },
];
