// Negative controls of removals.

const tests = { project: "integration", tests: "test/integration/remove-repository.test.ts" };
const restoring = { project: "integration", tests: "test/integration/restore-repository.test.ts" };

/** @type {import("./controls.mjs").Control[]} */
export const removeControls = [
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
    ...tests,
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
      { file: "src/sync/placement/release-replica.ts", from: "await assertNotAhead(context, replica);", to: "" },
    ],
    ...tests,
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
        file: "src/sync/placement/release-replica.ts",
        from: "return await setRemovedAside(misplacedPath(stateDir, replica.id), stateDir, replica.id);",
        to: "return undefined;",
      },
    ],
    ...tests,
    name: "is kept apart from a new repository of its name",
  },
];
