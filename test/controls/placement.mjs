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
