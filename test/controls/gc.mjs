// Negative controls of gc: which objects may go, and when.

const integration = { project: "integration", tests: "test/integration/collect-garbage.test.ts" };
const unreachable = { project: "integration", tests: "test/integration/collect-unreachable.test.ts" };
const besideWork = { project: "integration", tests: "test/integration/collect-beside-work.test.ts" };

/** @type {import("./controls.mjs").Control[]} */
export const gcControls = [
  {
    rule: "the two weeks of an unreachable object begin when a gc finds it",
    patches: [
      {
        file: "src/git/packs/cruft.ts",
        from: "[...packs, ...view.loose])",
        to: "[...packs, ...view.loose].slice(Infinity))",
      },
    ],
    ...unreachable,
    name: "stay for two weeks from the gc that found them",
  },
  {
    rule: "an unreachable object stays for two weeks",
    patches: [
      {
        file: "src/sync/upkeep/collect-garbage.ts",
        from: "new Date(startedAt - keepUnreachableMs)",
        to: "new Date(startedAt)",
      },
    ],
    ...unreachable,
    name: "that gc found 13 days ago",
  },
  {
    rule: "before objects go, the refs are read once more",
    patches: [
      {
        file: "src/sync/replica/remove-expired.ts",
        from: "if (!(await isWholeWithout(context, replica, { packs, tips, signal })))",
        to: "if (!(await isWholeWithout(context, replica, { packs, tips, signal })) && left < 0)",
      },
    ],
    ...besideWork,
    name: "stay when a push makes them reachable at the moment",
  },
  {
    rule: "objects stay while a write has a claim, or has had one since the refs were read",
    patches: [
      {
        file: "src/git/objects/object-claims.ts",
        from: "if (!this.idle || this.#taken !== taken || this.#pruning) return false;",
        to: "if (taken < 0) return false;",
      },
    ],
    ...besideWork,
    name: "stay when a push makes them reachable at the moment",
  },
  {
    rule: "a push has a claim on objects from its look at them",
    patches: [
      {
        file: "src/sync/push/push.ts",
        from: "  using _claim = await replica.objects.claim();\n",
        to: "",
      },
    ],
    ...besideWork,
    name: "stay while a push that has found them is about to land",
  },
  {
    rule: "a catch-up has a claim on objects that are here",
    patches: [
      {
        file: "src/sync/catch-up/catch-up.ts",
        from: "  using _claim = await replica.objects.claim();\n",
        to: "",
      },
    ],
    ...besideWork,
    name: "that a catch-up finds here stay until its refs are there",
  },
  {
    rule: "no object goes while a session of the replica is open",
    patches: [
      {
        file: "src/sync/replica/remove-expired.ts",
        from: 'if (await hasScratch(join(context.root, STATE_DIR), gitDir)) return "session";',
        to: 'if (await hasScratch(context.root, gitDir)) return "session";',
      },
    ],
    ...besideWork,
    name: "stay while a write session has a scratch",
  },
  {
    rule: "no object goes while the replica is in doubt",
    patches: [
      {
        file: "src/sync/replica/remove-expired.ts",
        from: "if (replica.applied === undefined || replica.outOfService)",
        to: "if (replica.outOfService)",
      },
    ],
    ...besideWork,
    name: "stay on a device whose replica came into doubt",
  },
  {
    rule: "the index over the packs is replaced before one of them goes",
    patches: [
      {
        file: "src/git/packs/repack.ts",
        from: "  for (const file of listed) await rename(join(from, file), join(to, file));\n",
        to: "",
      },
    ],
    ...integration,
    name: "joins only the small packs",
  },
  {
    rule: "what came since the last gc is rolled up, and nothing else",
    patches: [
      {
        file: "src/git/packs/roll-up-packs.ts",
        from: "!listed.has(name) && !others.has(name)",
        to: "!others.has(name)",
      },
    ],
    project: "integration",
    tests: "test/integration/roll-up.test.ts",
    name: "does not touch",
  },
  {
    rule: "scrubs are spread over their time",
    patches: [
      {
        file: "src/sync/upkeep/scrubs.ts",
        from: "Math.floor(sinceS / paceS)",
        to: "OPEN_LIMIT",
      },
    ],
    project: "integration",
    tests: "test/integration/scrub.test.ts",
    name: "are spread over the time",
  },
  {
    rule: "a full verification looks at what gc has made",
    patches: [
      {
        file: "src/git/packs/damage.ts",
        from: "tables: await damagedTables(gitDir)",
        to: "tables: (await damagedTables(gitDir)).slice(0, 0)",
      },
    ],
    project: "integration",
    tests: "test/integration/scrub.test.ts",
    name: "if it is damaged, and gets it back",
  },
  {
    rule: "the gate tells the sidecar of a git that failed",
    patches: [
      {
        file: "src/gate/serve-git.ts",
        from: 'if (asked.service === "upload-pack") onReadFailed',
        to: 'if (asked.service === "receive-pack") onReadFailed',
      },
    ],
    project: "e2e",
    tests: "test/e2e/scrub.test.ts",
    name: "is verified and repaired when a clone fails",
  },
];
