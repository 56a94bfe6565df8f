// Negative controls of removals.

const tests = { project: "integration", tests: "test/integration/remove-repository.test.ts" };
const files = { project: "integration", tests: "test/integration/removed-files.test.ts" };
const beside = { project: "integration", tests: "test/integration/remove-beside-work.test.ts" };
const moving = { project: "integration", tests: "test/integration/moved-directory.test.ts" };
const restoring = { project: "integration", tests: "test/integration/restore-repository.test.ts" };

/** @type {import("./controls.mjs").Control[]} */
export const removeControls = [
  {
    rule: "what an upload leaves at a place while a replica moves there is removed",
    patches: [
      {
        file: "src/git/beside/place.ts",
        from: "if (!isOccupied || move === MOVES || (await isTaken(place))) throw error;",
        to: "if (!isOccupied || move > 0 || (await isTaken(place))) throw error;",
      },
    ],
    project: "integration",
    tests: "test/integration/remove-beside-work.test.ts",
    name: "that an upload makes anew at the last moment",
  },
  {
    rule: "a push that is staged lands nothing after the repository was removed",
    patches: [
      {
        file: "migrations/functions/bump.sql",
        from: "where r.id = p_repository and r.removed_at is null for no key update;",
        to: "where r.id = p_repository for no key update;",
      },
    ],
    ...tests,
    name: "refuses a push that is under way and comes later",
  },
  {
    rule: "a push that comes after the removal is not staged",
    patches: [
      {
        file: "migrations/functions/stage_write.sql",
        from: "where r.id = p_repository and r.removed_at is null;",
        to: "where r.id = p_repository;",
      },
    ],
    ...tests,
    name: "refuses a push that is under way and comes later",
  },
  {
    rule: "files are freed only when the repository cannot be restored any more",
    patches: [
      {
        file: "migrations/functions/destroy_replica.sql",
        from: "if held.keep_until > clock_timestamp() then",
        to: "if false then",
      },
    ],
    ...files,
    name: "has its files until its time is over",
  },
  {
    rule: "a restored replica takes its files back",
    patches: [
      {
        file: "src/sync/replica/prepare-directory.ts",
        from: "(await takeRemovedBack(replica.gitDir, stateDir, replica.id))",
        to: "false",
      },
    ],
    ...restoring,
    name: "is restored with the same version and log, and nothing is fetched",
  },
  {
    rule: "files at a version that the database does not know are not freed",
    patches: [
      {
        file: "src/sync/placement/destroy-replica.ts",
        from: "await assertNotAhead(context, replica, unmoved);",
        to: "",
      },
    ],
    ...files,
    name: "keeps files at a version that the database does not know",
  },
  {
    rule: "a device that was away finds the directory of a removed repository by its former name",
    patches: [
      {
        file: "migrations/functions/remove_repository.sql",
        from: "set places = array_remove(p.places, p_name) || p_name",
        to: "set places = '{}'",
      },
    ],
    ...restoring,
    name: "is moved aside by a device that was away",
  },
  {
    rule: "a removed replica that was moved aside for another one is found there",
    patches: [
      {
        file: "src/sync/placement/move-aside.ts",
        from: "return await setRemovedAside(misplacedPath(stateDir, replica.id), stateDir, replica.id);",
        to: "return undefined;",
      },
    ],
    ...tests,
    name: "is kept apart from a new repository of its name",
  },
  {
    rule: "a git changes refs in the directory where it was started, wherever that moves",
    patches: [
      {
        file: "src/git/command/environment.ts",
        from: "    ...(hooks !== undefined && { GIT_DIR: gitDir }),\n",
        to: "    GIT_DIR: gitDir,\n",
      },
    ],
    ...moving,
    name: "takes along the git that has begun to change its refs",
  },
  {
    rule: "a quarantine is removed wherever its repository was moved meanwhile",
    patches: [
      {
        file: "src/git/objects/temporary-directory.ts",
        from: "const now = pathNow(directory) ?? path;",
        to: "const now = path;",
      },
    ],
    ...moving,
    name: "that is half received",
  },
  {
    rule: "objects that come are put into the directory where they were asked for, wherever that moves",
    patches: [
      {
        file: "src/git/command/environment.ts",
        from: "relative(gitDir, objects.GIT_OBJECT_DIRECTORY)",
        to: "objects.GIT_OBJECT_DIRECTORY",
      },
    ],
    ...moving,
    name: "takes along a pack that is half received",
  },
  {
    rule: "a git that was started early is not used for another directory at its path",
    patches: [
      {
        file: "src/git/transactions/started-transaction.ts",
        from: " || !taken?.isIn(gitDir)",
        to: "",
      },
    ],
    ...moving,
    name: "leaves no git that was started in it",
  },
  {
    rule: "nothing below a replica makes its directory",
    patches: [
      { file: "src/io/disk.ts", from: "await mkdir(each).then(", to: "await mkdir(each, { recursive: true }).then(" },
    ],
    ...moving,
    name: "is not made anew for the note about a gc",
  },
  {
    rule: "what a push makes at the place of a replica that has moved does not occupy it",
    patches: [{ file: "src/git/beside/place.ts", from: " && (await uploadsAlone(gitDir)) === undefined;", to: ";" }],
    ...beside,
    name: "leaves its place, though a push that is under way",
  },
  {
    rule: "what a push made at a place is removed for the next replica there",
    patches: [
      {
        file: "src/sync/replica/prepare-directory.ts",
        from: "  await clearPlace(gitDir);\n",
        to: "",
      },
    ],
    ...beside,
    name: "leaves its place to a new repository",
  },
  {
    rule: "a place is taken only if something is there after the database knows no replica there",
    patches: [
      {
        file: "src/sync/operator/refuse-occupied.ts",
        from: "if (moving !== undefined || seen.has(occupied.device)) await",
        to: "await",
      },
    ],
    ...beside,
    name: "is restored, though a device moves its files only while",
  },
  {
    rule: "a scan lists no directory that has left",
    patches: [{ file: "src/sync/adopt/scan-root.ts", from: " || !(await exists(each.path))", to: "" }],
    ...beside,
    name: "is no unknown directory to a scan that saw it before it moved, before",
  },
  {
    rule: "a scan lists no replica that has come back",
    patches: [
      {
        file: "src/sync/adopt/scan-root.ts",
        from: "await this.#strange(await this.#strange(page))",
        to: "await this.#strange(page)",
      },
    ],
    ...beside,
    name: "is no unknown directory to a scan that saw it before it moved, after",
  },
  {
    rule: "the version of files that lie aside is known after a restore",
    patches: [{ file: "migrations/functions/want_replicas.sql", from: "kept = p.version,", to: "kept = 0," }],
    project: "integration",
    tests: "test/integration/restore-repository.test.ts",
    name: "has not taken its files back since an earlier restore, and moved nothing yet",
  },
  {
    rule: "the version of files that still lie aside is known after a second removal",
    patches: [
      {
        file: "migrations/functions/release_replica.sql",
        from: "version = greatest(p.version, p.kept)",
        to: "version = p.version",
      },
    ],
    project: "integration",
    tests: "test/integration/restore-repository.test.ts",
    name: "has not taken its files back since an earlier restore, and moved nothing again",
  },
  {
    rule: "a device that finds no files of a copy aside no longer counts as having them",
    patches: [
      { file: "src/sync/replica/prepare-directory.ts", from: "{ isNew: !isBack }", to: "{ isNew: isBack && !isBack }" },
    ],
    ...restoring,
    name: "does not count on files",
  },
];
