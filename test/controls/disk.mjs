// Controls for what is done about the files of a replica: tidied, or changed behind the back of a running sidecar.

/** @type {import("./controls.mjs").Control[]} */
export const diskControls = [
  {
    rule: "files are gathered however many there are in a directory",
    patches: [
      {
        file: "src/git/leftovers.ts",
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
    patches: [{ file: "src/sync/tidy.ts", from: "setTimeout(release, TURN_MS)", to: "setTimeout(() => {}, TURN_MS)" }],
    project: "integration",
    tests: "test/integration/pack-refs.test.ts",
    name: "of a repository whose neighbour is slow, too",
  },
  {
    rule: "the locks of a git that packs refs are not broken",
    patches: [
      { file: "src/git/leftovers.ts", from: "|| (await isBeingPacked(gitDir))", to: "|| (await isBeingPacked('/'))" },
    ],
    project: "integration",
    tests: "test/integration/pack-refs.test.ts",
    name: "nobody breaks the locks of git that packs",
  },
  {
    rule: "copies are kept in a reftable when no push has its lock",
    patches: [{ file: "src/sync/hold.ts", from: "if (isReftable(replica.gitDir))", to: "if (Date.now() < 0)" }],
    project: "integration",
    tests: "test/integration/reftable.test.ts",
    name: "keeps copies for another device while a push of its own is being decided",
  },
];
