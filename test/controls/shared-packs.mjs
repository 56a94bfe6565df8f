// Negative controls of packs that several clients share.

const TESTS = "test/integration/shared-packs.test.ts";

/** @type {import("./controls.mjs").Control[]} */
export const sharedPackControls = [
  {
    rule: "a pack counts for the objects that its client has",
    patches: [
      {
        file: "src/pack-cache/pack-request.ts",
        from: '.update("\\0").update(input)',
        to: '.update("\\0").update(input.subarray(0, 40))',
      },
    ],
    project: "unit",
    tests: "test/unit/pack-request.test.ts",
    name: "the objects that the client has",
  },
  {
    rule: "a pack with tags counts while no tag has changed",
    patches: [
      {
        file: "src/sync/replica/apply.ts",
        from: 'isBelow(name, "refs/tags/")',
        to: 'isBelow(name, "refs/tags//")',
      },
    ],
    project: "integration",
    tests: TESTS,
    name: "has new tags after they were pushed",
  },
  {
    rule: "a pack that git could not make is not kept",
    patches: [
      {
        file: "src/pack-cache/pack-cache.ts",
        from: "if (code !== 0) return",
        to: "if (code === undefined) return",
      },
    ],
    project: "integration",
    tests: "test/integration/shared-packs-fail.test.ts",
    name: "that git cannot make is an error for each client",
  },
  {
    rule: "a pack that depends on refs is never shared",
    patches: [
      {
        file: "src/pack-cache/pack-request.ts",
        from: '!INPUT.test(input.toString("latin1"))',
        to: "INPUT === undefined",
      },
    ],
    project: "unit",
    tests: "test/unit/pack-request.test.ts",
    name: "is left to the client's git if its input has the name of a ref",
  },
];
