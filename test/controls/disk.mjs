// Negative controls for the files of a replica: the sidecar tidies them, or somebody changes them while the sidecar
// runs.

/** @type {import("./controls.mjs").Control[]} */
export const diskControls = [
  {
    rule: "a git that was killed says nothing about a directory",
    patches: [
      {
        file: "src/git/replica/repository.ts",
        from: "if (isGitsRefusal(error)) return",
        to: "if (error instanceof LockstepError || isGitsRefusal(error)) return",
      },
    ],
    project: "integration",
    tests: "test/integration/inspect-place.test.ts",
    name: "a git that a signal ends says nothing about a directory",
  },
  {
    rule: "another directory that appears while the mutex is held is a change",
    patches: [
      {
        file: "src/sync/device/replica-mutex.ts",
        from: "this.#directory !== undefined && this.#directory !== mark.directory",
        to: "this.#directory === mark.directory && this.#directory !== mark.directory",
      },
    ],
    project: "integration",
    tests: "test/integration/exchanged-replicas.test.ts",
    name: "are found where that happens while somebody holds the mutex",
  },
  {
    rule: "a replica is looked for where the one belongs that lies at its place",
    patches: [
      {
        file: "src/sync/replica/prepare-directory.ts",
        from: "  await fetchFromPlaceOf(context, replica, owner, stateDir);\n",
        to: "  if (owner === name) await fetchFromPlaceOf(context, replica, owner, stateDir);\n",
      },
    ],
    project: "integration",
    tests: "test/integration/exchanged-replicas.test.ts",
    name: "are found by a read, though nobody else has the objects",
  },
  {
    rule: "an empty root that lacks its disk is not filled",
    patches: [
      {
        file: "src/sync/place/assert-root.ts",
        from: "return now.place !== undefined && now.place !== before.place;",
        to: "return false;",
      },
    ],
    project: "unit",
    tests: "test/unit/assert-mounted.test.ts",
    name: "an empty directory that is another one than before",
  },
  {
    rule: "a replica whose refs somebody else changed is compared at the next access",
    patches: [
      {
        file: "src/sync/device/replica-mutex.ts",
        from: "if (looked.refs !== before.refs) return true;",
        to: "if (looked.refs !== before.refs) return false;",
      },
    ],
    project: "integration",
    tests: "test/integration/disk-changes.test.ts",
    name: "a read finds that a ref is deleted",
  },
  {
    rule: "a replica that lacks a part is in doubt",
    patches: [
      {
        file: "src/sync/device/replica-mutex.ts",
        from: "now.refs !== before.refs || !(await isWhole(gitDir))",
        to: "now.refs !== before.refs",
      },
    ],
    project: "integration",
    tests: "test/integration/disk-changes.test.ts",
    name: "a read finds that its config is deleted",
  },
  {
    rule: "a replica that comes into doubt while it is compared is compared again",
    patches: [
      { file: "src/sync/catch-up/follow-log.ts", from: "const RECOVERIES = 5;", to: "const RECOVERIES = 1;" },
      // A catch-up that fails for this reason begins again, too.
      { file: "src/sync/catch-up/catch-up.ts", from: ' || code === "REPLICA_IN_DOUBT";', to: ";" },
    ],
    project: "integration",
    tests: "test/integration/in-doubt.test.ts",
    name: "a replica that comes into doubt while it is being compared",
  },
  {
    rule: "a replica that was compared while the notes were read is not mistrusted for its old note",
    patches: [
      { file: "src/sync/catch-up/compare-notes.ts", from: "      if (version >= row.version) return;\n", to: "" },
    ],
    project: "integration",
    tests: "test/integration/in-doubt.test.ts",
    name: "a replica without a note, compared with the log while all notes are",
  },
  {
    rule: "a log that cannot be written ends nothing",
    patches: [
      { file: "src/io/log-lines.ts", from: "      lines = open();\n    });", to: "      throw new Error();\n    });" },
    ],
    project: "unit",
    tests: "test/unit/log-lines.test.ts",
    name: "",
  },
  {
    rule: "what somebody else changed is noted for the next incarnation too",
    patches: [
      {
        file: "src/sync/device/replica-mutex.ts",
        from: "await doubtReplicaRecord(this.#replica.gitDir).catch(() => {});",
        to: "",
      },
    ],
    project: "integration",
    tests: "test/integration/lost-disk.test.ts",
    name: "is noticed by the next incarnation too",
  },
  {
    rule: "a note that was written in place is only believed whole",
    patches: [
      {
        file: "src/git/root/root-record.ts",
        from: "if (sum !== String(crc32(line))) return undefined;",
        to: "if (sum === String(crc32(line.slice(1)))) return undefined;",
      },
    ],
    project: "integration",
    tests: "test/integration/root-record.test.ts",
    name: "half written over another one",
  },
  {
    rule: "where the root is gone no replica counts as lost",
    patches: [
      {
        file: "src/sync/place/assert-root.ts",
        from: "if (await isRootHere(root, git.lockFd)) return;",
        to: "if ((await isRootHere(root, git.lockFd)) || Date.now() > 0) return;",
      },
    ],
    project: "integration",
    tests: "test/integration/lost-disk.test.ts",
    name: "is not filled again, and what was recorded of it stays: an empty directory lies there",
  },
  {
    rule: "what was recorded of a lost disk counts for nothing",
    patches: [
      {
        file: "src/sync/replica/prepare-directory.ts",
        from: "  await recordLess(context, replica, 0n);\n",
        to: "",
      },
    ],
    project: "integration",
    tests: "test/integration/lost-disk.test.ts",
    name: "is no source and no leader",
  },
  {
    rule: "an object that is gone is fetched though its ref is as it should be",
    patches: [
      {
        file: "src/sync/catch-up/recover.ts",
        from: "!isSymbolic(value) && !here.has(value)",
        to: "!isSymbolic(value) && here.size < 0",
      },
    ],
    project: "integration",
    tests: "test/integration/disk-changes.test.ts",
    name: "a read finds that its objects/ is replaced by an empty one",
  },
  {
    rule: "an error while disposing does not hide the first one",
    patches: [
      {
        file: "src/errors.ts",
        from: "while (first instanceof Error &&",
        to: "while (Date.now() < 0 && first instanceof Error &&",
      },
    ],
    project: "unit",
    tests: "test/unit/errors.test.ts",
    name: "the first error is reported",
  },
  {
    rule: "the database gets a version only when its refs are synced",
    patches: [
      {
        file: "src/sync/replica/apply.ts",
        from: "if (!(await replica.unsynced.sync(replica)) || replica.applied === undefined) return;",
        to: "void replica.unsynced.sync(replica).catch(() => {});",
      },
    ],
    project: "integration",
    tests: "test/integration/sync-later.test.ts",
    name: "the record in the database does",
  },
  {
    rule: "a replica whose refs could not be synced is in doubt",
    patches: [
      {
        file: "src/sync/replica/apply.ts",
        from: "    await doubt();\n    throw error;",
        to: "    throw error;",
      },
    ],
    project: "integration",
    tests: "test/integration/sync-later.test.ts",
    name: "whose refs cannot be synced",
  },
  {
    rule: "a doubt about refs that could not be synced comes under the mutex",
    patches: [
      { file: "src/sync/replica/apply.ts", from: "() => replica.mutex.doubt()", to: "() => putInDoubt(replica)" },
    ],
    project: "integration",
    tests: "test/integration/sync-later.test.ts",
    name: "outlasts a push",
  },
  {
    rule: "a lower version is recorded after a record that is under way",
    patches: [{ file: "src/sync/replica/apply.ts", from: "  await replica.lastRecord;\n", to: "" }],
    project: "integration",
    tests: "test/integration/in-doubt.test.ts",
    name: "a record that is under way",
  },
  {
    rule: "refs that could not be synced are synced again",
    patches: [
      {
        file: "src/git/transactions/unsynced-refs.ts",
        from: "        this.add(names);\n        throw error;",
        to: "        throw error;",
      },
    ],
    project: "integration",
    tests: "test/integration/sync-later.test.ts",
    name: "whose refs cannot be synced",
  },
  {
    rule: "refs whose directory was moved meanwhile are not synced",
    patches: [
      {
        file: "src/git/transactions/unsynced-refs.ts",
        from: "const isThere = () => replica.gitDir === gitDir && existsSync(gitDir);",
        to: "const isThere = () => replica.gitDir === gitDir || existsSync(gitDir);",
      },
    ],
    project: "integration",
    tests: "test/integration/sync-later.test.ts",
    name: "whose directory was moved",
  },
  {
    rule: "a push of very many refs is told ok when they are synced",
    patches: [
      {
        file: "src/sync/replica/apply.ts",
        from: "if (!gitSyncsRefs(replica.gitDir, changes.size)) await",
        to: "if (!gitSyncsRefs(replica.gitDir, changes.size)) void",
      },
    ],
    project: "integration",
    tests: "test/integration/sync-later.test.ts",
    name: "of so many refs",
  },
  {
    rule: "a sidecar that stops waits for the record of its versions",
    patches: [
      { file: "src/sync/device/hand-over.ts", from: "context.replicas.recorded(), ", to: "Promise.resolve(), " },
    ],
    project: "integration",
    tests: "test/integration/sync-later.test.ts",
    name: "a sidecar that stops",
  },
];
