// Negative controls for gits that hang.

/** @type {import("./controls.mjs").Control[]} */
export const hungGitControls = [
  {
    rule: "a git that shows no work is ended",
    patches: [{ file: "src/git/hung/hung.ts", from: '  watch.child.kill("SIGKILL");\n  killAll', to: "  killAll" }],
    project: "integration",
    tests: "test/integration/hung-git.test.ts",
    name: "catches up although a git",
  },
  {
    rule: "a replica is compared after a git that could write was ended",
    patches: [{ file: "src/git/hung/hung.ts", from: "return killedWriters.delete(gitDir);", to: "return false;" }],
    project: "integration",
    tests: "test/integration/hung-git.test.ts",
    name: "leaves no lock in the way of the next one",
  },
  {
    rule: "a git that waits for this process is not judged",
    patches: [{ file: "src/git/hung/judge.ts", from: "return answers > 0 ||", to: "return answers >= 0 ||" }],
    project: "integration",
    tests: "test/integration/hung-git.test.ts",
    name: "while it waits for the decision",
  },
  {
    rule: "a hook of the operator's is not judged",
    patches: [{ file: "src/git/hung/judge.ts", from: "if (await runsHook(all)) return undefined;", to: "" }],
    project: "integration",
    tests: "test/integration/hung-git.test.ts",
    name: "while it runs a hook",
  },
  {
    rule: "a git that makes way is not judged",
    patches: [
      {
        file: "src/git/hung/judge.ts",
        from: "if (makeWay?.isStopped(child)) return undefined;",
        to: "makeWay?.isStopped(child);",
      },
    ],
    project: "integration",
    tests: "test/integration/make-way.test.ts",
    name: "is not taken for one that hangs",
  },
  {
    rule: "gc makes way for reads and pushes",
    patches: [{ file: "src/sync/read/before-read.ts", from: "context.git.makeWay?.now();", to: "" }],
    project: "integration",
    tests: "test/integration/make-way.test.ts",
    name: "stops while somebody reads",
  },
];
