// Negative controls for the files among the refs of a replica: locks, loose refs, files that are no refs.

/** @type {import("./controls.mjs").Control[]} */
export const refFileControls = [
  {
    rule: "files are gathered however many there are in a directory",
    patches: [
      {
        file: "src/git/refs/stale-locks.ts",
        from: "await findFiles(path, name, found);",
        to: "found.push(...(await findFiles(path, name)));",
      },
    ],
    project: "integration",
    tests: "test/integration/pack-refs.test.ts",
    name: "however many there are in one directory",
  },
  {
    rule: "a slow repository gives its turn to be tidied back",
    patches: [
      {
        file: "src/sync/replica/tidy.ts",
        from: "setTimeout(release, WAITS.tidyAloneMs)",
        to: "setTimeout(() => {}, WAITS.tidyAloneMs)",
      },
    ],
    project: "integration",
    tests: "test/integration/pack-refs.test.ts",
    name: "are packed although its neighbour is slow",
  },
  {
    rule: "the locks of a git that packs refs are not broken",
    patches: [
      {
        file: "src/git/refs/stale-locks.ts",
        from: "|| (await isBeingPacked(gitDir))",
        to: "|| (await isBeingPacked('/'))",
      },
    ],
    project: "integration",
    tests: "test/integration/pack-refs.test.ts",
    name: "nobody breaks the locks of a git that packs",
  },
  {
    rule: "files that are no refs are moved out of git's way",
    patches: [
      {
        file: "src/sync/replica/clear-refs.ts",
        from: "const moved = await moveForeignFiles(replica, aside);",
        to: "const moved: Foreign[] = [];",
      },
    ],
    project: "integration",
    tests: "test/integration/strange-files.test.ts",
    name: "a copy with a space in its name is moved aside by the next read",
  },
  {
    rule: "what lies deep among the refs is found in the background",
    patches: [
      {
        file: "src/sync/catch-up/patrol.ts",
        from: "if (!(await hasForeignFiles(replica.gitDir))) return;",
        to: "return;",
      },
    ],
    project: "integration",
    tests: "test/integration/strange-files.test.ts",
    name: "the patrol after a read finds deeper files",
  },
  {
    rule: "what the sidecar does beside the mutex is not taken for somebody else's",
    patches: [
      {
        file: "src/sync/replica/pack-loose-refs.ts",
        from: "packing = replica.mutex.beside(() => packRefs(git, replica.gitDir, signal));",
        to: "packing = packRefs(git, replica.gitDir, signal);",
      },
    ],
    project: "integration",
    tests: "test/integration/refs-by-hand.test.ts",
    name: "by pushes, catch-ups, copies, dropped writes and packing",
  },
];
