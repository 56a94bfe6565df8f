// Negative controls of the gate's cache of git's answers about refs.

const TESTS = "test/integration/gate-cache-stale.test.ts";
const PUSH_TESTS = "test/integration/gate-push-refs.test.ts";

/** @type {import("./controls.mjs").Control[]} */
export const gateCacheControls = [
  {
    rule: "a kept answer counts only while no ref has changed since git looked at the refs",
    patches: [
      {
        file: "src/gate/cache/read-refs.ts",
        from: "unchangedMs >= performance.now() - lookedAfter",
        to: "unchangedMs >= 0",
      },
    ],
    project: "integration",
    tests: TESTS,
    name: "when a ref has moved",
  },
  {
    rule: "a kept answer counts only for the settings that git had",
    patches: [
      {
        file: "src/gate/cache/cached-request.ts",
        from: "const output = this.#look() === found.seen &&",
        to: "const output = this.#look() !== undefined &&",
      },
    ],
    project: "integration",
    tests: TESTS,
    name: "when settings of the repository have changed",
  },
  {
    rule: "the sidecar is asked before a kept answer is given",
    patches: [
      {
        file: "src/gate/cache/cached-request.ts",
        from: "const grant = await ask();",
        to: "const grant = { unchangedMs: Number.POSITIVE_INFINITY, ask };",
      },
    ],
    project: "integration",
    tests: TESTS,
    name: "when the sidecar refuses the read",
  },
  {
    rule: "the answers to two requests for refs are told apart",
    patches: [
      {
        file: "src/gate/cache/answer-cache.ts",
        from: 'return [repository, protocol ?? "", sum, forPush]',
        to: 'return [repository, protocol ?? "", typeof sum, forPush]',
      },
    ],
    project: "integration",
    tests: TESTS,
    name: "to a request whose lines differ",
  },
  {
    rule: "the refs that a pusher is shown are those that the sidecar grants",
    patches: [
      {
        file: "src/gate/cache/push-refs.ts",
        from: ": patched(output, changes)",
        to: ": patched(output, new Map([...changes].slice(1)))",
      },
    ],
    project: "integration",
    tests: PUSH_TESTS,
    name: "one branch",
  },
  {
    rule: "only git says whether it shows a new ref",
    patches: [
      {
        file: "src/gate/cache/patch-refs.ts",
        from: 'if (end === -1 && id === "") continue;',
        to: "if (end === -1) continue;",
      },
    ],
    project: "integration",
    tests: PUSH_TESTS,
    name: "a ref was made, perhaps a hidden one",
  },
  {
    rule: "where a ref leads to another one, git is asked: a mark of Lockstep says so, or the hook pre-receive",
    patches: [
      {
        file: "src/gate/cache/push-refs.ts",
        from: "existsSync(join(path, ALIASES_MARK)) ||",
        to: "join(path, ALIASES_MARK) === path ||",
      },
    ],
    project: "integration",
    tests: PUSH_TESTS,
    name: "after the hook was taken away by hand",
  },
  {
    rule: "a hook pre-receive is enough to ask git: the mark may be missing in a replica of an older version",
    patches: [
      {
        file: "src/gate/cache/push-refs.ts",
        from: 'existsSync(join(path, "hooks", "pre-receive"))',
        to: 'join(path, "hooks", "pre-receive") === path',
      },
    ],
    project: "integration",
    tests: PUSH_TESTS,
    name: "each time where a ref leads to another one, since both change",
  },
  {
    rule: "what has changed is told only if it is known exactly",
    patches: [
      {
        file: "src/sync/device/ref-history.ts",
        from: "if (this.#inDoubt || version !== this.#at) this.#begin(version);",
        to: "if (version !== this.#at) this.#begin(version);",
      },
    ],
    project: "unit",
    tests: "test/unit/ref-history.test.ts",
    name: "knows nothing of what was before a doubt",
  },
];
