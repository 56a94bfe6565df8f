// Negative controls of upgrades: programs of several levels on one database.

const tests = { project: "integration", tests: "test/integration/migrate.test.ts" };
const inCluster = { project: "e2e", tests: "test/e2e/upgrade.test.ts" };
const file = "src/store/database/migrate.ts";

/** @type {import("./controls.mjs").Control[]} */
export const upgradeControls = [
  {
    rule: "a program does not use a schema that shuts it out",
    patches: [{ file, from: "if (level.compatibleFrom > knownSchemaLevel()) {", to: "if (level.level < 0) {" }],
    ...tests,
    name: "refuses a newer schema",
  },
  {
    rule: "a program of the level before goes on with a newer schema",
    patches: [
      { file, from: "if (level.compatibleFrom > knownSchemaLevel()) {", to: "if (level.level > knownSchemaLevel()) {" },
    ],
    ...tests,
    name: "leaves a newer schema alone",
  },
  {
    rule: "a migration replaces every function",
    patches: [
      {
        file,
        from: "for (const { signature } of rows) await",
        to: "for (const { signature } of rows.slice(rows.length)) await",
      },
    ],
    ...tests,
    name: "from an older level replaces every function",
  },
  {
    rule: "sidecars of neighbouring versions serve one cluster: the older one starts beside the newer one",
    patches: [
      { file, from: "if (level.compatibleFrom > knownSchemaLevel()) {", to: "if (level.level > knownSchemaLevel()) {" },
    ],
    ...inCluster,
    name: "neighbouring versions push and read together",
  },
  {
    rule: "a schema that shuts older programs out ends their sidecars",
    patches: [
      {
        file,
        from: "where (select compatible_from from lockstep.schema_level) > $1",
        to: "where (select compatible_from from lockstep.schema_level) < $1",
      },
    ],
    ...inCluster,
    name: "a version that older programs cannot work with ends them",
  },
];
