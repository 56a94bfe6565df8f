// Negative controls of the copies that a write waits for.

/** @type {import("./controls.mjs").Control[]} */
export const copyControls = [
  {
    rule: "copies are made only for the device that asks for them",
    patches: [{ file: "src/sync/objects/serve-pack.ts", from: "    if (request.copy && ", to: "    if (!request && " }],
    project: "integration",
    tests: "test/integration/copies.test.ts",
    name: "copies only for the device that writes",
  },
  {
    rule: "a copy of a new branch leaves out what the other device has",
    patches: [
      {
        file: "src/sync/copies/hold-objects.ts",
        from: "const creates = request.haves.length < request.wants.length;",
        to: "const creates = request.haves.length < 0;",
      },
    ],
    project: "integration",
    tests: "test/integration/copies.test.ts",
    name: "sends of a new branch what the others do not have",
  },
  {
    rule: "copies that nobody waits for are stopped",
    patches: [{ file: "src/sync/copies/copies.ts", from: "  work.abort();\n", to: "" }],
    project: "integration",
    tests: "test/integration/copies.test.ts",
    name: "stops the copies that nobody waits for any more",
  },
  {
    rule: "no copy is kept before it is known whose directory it is",
    patches: [
      {
        file: "src/sync/copies/hold-objects.ts",
        from: "  await known?.mutex.look();\n",
        to: "",
      },
    ],
    project: "integration",
    tests: "test/integration/exchanged-replicas.test.ts",
    name: "are found before a copy for another device is kept in the wrong one",
  },
  {
    rule: "copies are kept in a reftable when no push has its lock",
    patches: [
      {
        file: "src/sync/copies/hold-objects.ts",
        from: "if (isReftable(replica.gitDir))",
        to: "if (isReftable(replica.gitDir) && Date.now() < 0)",
      },
    ],
    project: "integration",
    tests: "test/integration/reftable-crashes.test.ts",
    name: "keeps copies for another device while a push of its own is being decided",
  },
];
