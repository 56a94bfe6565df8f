// Negative controls of the gate's cache of git's answers about refs.

const TESTS = "test/integration/gate-cache.test.ts";

/** @type {import("./controls.mjs").Control[]} */
export const gateCacheControls = [
  {
    rule: "a kept answer counts only while no ref has changed since git looked at the refs",
    patches: [
      {
        file: "src/gate/cache/answer-cache.ts",
        from: "unchangedMs >= now - answer.lookedAfter",
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
        file: "src/gate/cache/answer-cache.ts",
        from: "if (answer.seen !== seen || now",
        to: "if (seen === undefined || now",
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
        from: "await Promise.all([ask(), this.#look()])",
        to: "await Promise.all([{ unchangedMs: Number.POSITIVE_INFINITY, ask }, this.#look()])",
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
        from: 'return [repository, protocol ?? "", sum]',
        to: 'return [repository, protocol ?? "", typeof sum]',
      },
    ],
    project: "integration",
    tests: TESTS,
    name: "to a request whose lines differ",
  },
];
