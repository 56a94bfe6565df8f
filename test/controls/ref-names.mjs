// Negative controls for the names of refs: their bytes, and the rule for new refs.

/** @type {import("./controls.mjs").Control[]} */
export const refNameControls = [
  {
    rule: "a push of a ref that some device could not hold is refused before it is staged",
    patches: [{ file: "src/sync/push/push-policy.ts", from: "return whyUnacceptable(update);", to: "return null;" }],
    project: "integration",
    tests: "test/integration/acceptable-ref.test.ts",
    name: "is refused ref by ref, in words",
  },
  {
    rule: "a session that makes a ref which some device could not hold is dropped",
    patches: [
      {
        file: "src/sync/session/bump-version.ts",
        from: 'if (unacceptable !== "") throw',
        to: "if (Date.now() < 0) throw",
      },
    ],
    project: "integration",
    tests: "test/integration/acceptable-ref.test.ts",
    name: "Lockstep's own directory: is dropped with the reason",
  },
  {
    rule: "thaw does not put a ref into the log that some device could not hold",
    patches: [
      { file: "src/sync/operator/thaw-promote.ts", from: 'if (unacceptable !== "")', to: "if (Date.now() < 0)" },
    ],
    project: "integration",
    tests: "test/integration/acceptable-ref.test.ts",
    name: "a part of 241 bytes: says which and what to do",
  },
  {
    rule: "git is asked for no lock whose absolute path would be too long",
    patches: [
      {
        file: "src/git/transactions/ref-transaction.ts",
        from: "if (unreachable !== undefined)",
        to: "if (unreachable !== undefined && Date.now() < 0)",
      },
    ],
    project: "integration",
    tests: "test/integration/ref-transaction.test.ts",
    name: "refuses a ref whose lock no absolute path could name",
  },
  {
    rule: "what git prints is read byte by byte",
    patches: [
      {
        file: "src/git/refs/symbolic-refs.ts",
        from: 'nameFromLatin1(stdout.toString("latin1")',
        to: 'nameFromLatin1(stdout.toString("utf8")',
      },
    ],
    project: "integration",
    tests: "test/integration/ref-names.test.ts",
    name: "lands in a session as the name of a ref",
  },
  {
    rule: "the update hook is given the bytes of a name",
    patches: [
      {
        file: "src/sync/push/push-policy.ts",
        from: "each === null ? Buffer.from(zero) : toBytes(each),",
        to: "each === null ? Buffer.from(zero) : Buffer.from(toBytes(each).toString()),",
      },
    ],
    project: "e2e",
    tests: "test/e2e/ref-names.test.ts",
    name: "are what the update hook is given",
  },
  {
    rule: "a root that could not hold every ref is not served",
    patches: [
      { file: "src/git/root/root-names.ts", from: "if (bytes <= ROOT_LIMIT) return;", to: "if (bytes > 0) return;" },
    ],
    project: "integration",
    tests: "test/integration/root-names.test.ts",
    name: "may have so many bytes and no more",
  },
];
