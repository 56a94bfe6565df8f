// Negative controls of which devices hold what.

const RELEASE = "test/integration/release-replica.test.ts";

/** @type {import("./controls.mjs").Control[]} */
export const placementControls = [
  {
    rule: "a copy is released only when the others have everything",
    patches: [
      {
        file: "migrations/functions/release_replica.sql",
        from: "if cardinality(lacking) > 0 or cardinality(holders) = 0 then",
        to: "if false then",
      },
    ],
    project: "integration",
    tests: RELEASE,
    name: "the last copy is never released",
  },
  {
    rule: "a copy that could not be moved aside in time is moved before it is freed",
    patches: [
      {
        file: "src/sync/placement/destroy-replica.ts",
        from: "await moveAside(context, replica, unmoved);",
        to: "",
      },
    ],
    project: "integration",
    tests: "test/integration/unmoved-copies.test.ts",
    name: "is moved aside and freed once its time is over",
  },
  {
    rule: "a released copy is found at its old place after a rename",
    patches: [
      {
        file: "migrations/functions/release_replica.sql",
        from: "then array_remove(p.places, held.name) || held.name else",
        to: "then p.places else",
      },
    ],
    project: "integration",
    tests: "test/integration/unmoved-copies.test.ts",
    name: "although its repository was renamed meanwhile",
  },
  {
    rule: "what lies at the place of a copy that was moved aside is not freed",
    patches: [
      {
        file: "src/sync/placement/destroy-replica.ts",
        from: "(await possiblePlaces(db, me.device, replica.id))?.unmoved ?? []",
        to: "(await possiblePlaces(db, me.device, replica.id))?.names ?? []",
      },
    ],
    project: "integration",
    tests: "test/integration/unmoved-copies.test.ts",
    name: "is not looked for once the release has moved it",
  },
  {
    rule: "a released copy lands no write",
    patches: [
      {
        file: "migrations/functions/bump.sql",
        from: "where p.repository_id = p_repository and p.device = p_device and p.state in ('pending', 'active', 'broken');",
        to: "where p.repository_id = p_repository and p.device = p_device;",
      },
    ],
    project: "integration",
    tests: RELEASE,
    name: "a released copy lands nothing",
  },
  {
    rule: "a repository that is made while a device registers is on that device",
    patches: [
      {
        file: "migrations/functions/create_repository.sql",
        from: "perform pg_advisory_xact_lock_shared(hashtext('lockstep.placement'));",
        to: "",
      },
    ],
    project: "integration",
    tests: "test/integration/placement.test.ts",
    name: "is seen by a repository that is made at that moment",
  },
  {
    rule: "a device is not removed while only it has something",
    patches: [
      {
        file: "migrations/functions/remove_device.sql",
        from: "if cardinality(names) > 0 then outcome := 'only_here'; return; end if;",
        to: "",
      },
    ],
    project: "integration",
    tests: "test/integration/remove-device.test.ts",
    name: "is refused while only it has the head",
  },
];
