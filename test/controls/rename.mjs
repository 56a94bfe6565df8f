// Negative controls of renames.

const tests = { project: "integration", tests: "test/integration/rename.test.ts" };
const besideWork = { project: "integration", tests: "test/integration/rename-beside-work.test.ts" };
const testsOfNames = { project: "integration", tests: "test/integration/rename-names.test.ts" };

/** @type {import("./controls.mjs").Control[]} */
export const renameControls = [
  {
    rule: "a read under a new name moves the directory first",
    patches: [{ file: "src/sync/read/before-read.ts", from: "await followName(context, replica);", to: "" }],
    ...tests,
    name: "is served under the new name before the command has come",
  },
  {
    rule: "a device looks for a replica at the places of earlier names",
    patches: [
      {
        file: "src/sync/place/follow-name.ts",
        from: "[replica.name, ...places].filter((each) => each !== name)",
        to: "[]",
      },
    ],
    ...tests,
    name: "is moved to its newest name by a device that was away",
  },
  {
    rule: "a new repository ends the former name",
    patches: [
      {
        file: "migrations/functions/rename_repository.sql",
        from: "delete from lockstep.former_name f where f.name = p_new or f.until <= clock_timestamp();",
        to: "",
      },
    ],
    ...testsOfNames,
    name: "may be taken back at once",
  },
  {
    rule: "only the directory of the repository itself moves to its new name",
    patches: [
      {
        file: "src/sync/place/follow-name.ts",
        from: "if (await wasReplica(replicaPath(root, name), replica.id)) return name;",
        to: "if (await exists(replicaPath(root, name))) return name;",
      },
    ],
    ...testsOfNames,
    name: "is taken by a new repository while a device is away",
  },
  {
    rule: "a session keeps its repository from being renamed",
    patches: [
      {
        file: "migrations/functions/rename_repository.sql",
        from: "if found then outcome := 'session'; return; end if;",
        to: "",
      },
    ],
    ...besideWork,
    name: "is not renamed while a session is open",
  },
  {
    rule: "a directory that the database does not know is not moved aside for a rename",
    patches: [{ file: "src/store/replica/replicas.ts", from: " and places = '{}'", to: "" }],
    ...testsOfNames,
    name: "does not hide a directory that appears too late",
  },
  {
    rule: "a rename locks the devices before its repository",
    patches: [
      {
        file: "migrations/functions/rename_repository.sql",
        from: "  perform 1 from lockstep.device d order by d.name for key share;\n",
        to: "",
      },
    ],
    project: "integration",
    tests: "test/integration/rename.test.ts",
    name: "is locked after the devices",
  },
];
