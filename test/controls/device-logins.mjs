// What the login of one device may do to others.
const TESTS = "test/integration/device-logins.test.ts";
const RIGHTS = "test/integration/device-login-rights.test.ts";

/** @type {import("./controls.mjs").Control[]} */
export const deviceLoginControls = [
  {
    rule: "a function asks for which device the session acts",
    patches: [
      {
        file: "migrations/functions/renew_lease.sql",
        from: "  perform lockstep.act_as(p_device);\n",
        to: "",
      },
    ],
    project: "integration",
    tests: RIGHTS,
    name: "calls no function in the name of another device",
  },
  {
    rule: "the login of a device changes rows of its own device only",
    patches: [
      {
        file: "migrations/functions/own_rows.sql",
        from: "on lockstep.replica for update using (device = (select lockstep.own_device()));",
        to: "on lockstep.replica for update using (true);",
      },
    ],
    project: "integration",
    tests: RIGHTS,
    name: "changes, adds and removes no row of another device",
  },
  {
    rule: "a function that runs as the owner of the schema takes no operator of the session",
    patches: [
      {
        file: "migrations/functions/drain_device.sql",
        from: " set search_path = pg_catalog, pg_temp",
        to: "",
      },
    ],
    project: "integration",
    tests: TESTS,
    name: "is not fooled by operators and functions",
  },
  {
    rule: "a write that another device has staged lands for nobody else",
    patches: [
      {
        file: "migrations/functions/bump.sql",
        from: "  elsif attempt.device <> p_device then\n    perform lockstep.act_as(attempt.device);\n",
        to: "",
      },
    ],
    project: "integration",
    tests: TESTS,
    name: "lands no write of another device",
  },
];
