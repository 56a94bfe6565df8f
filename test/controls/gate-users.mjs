// Negative controls of who may use the gate.

/** @type {import("./controls.mjs").Control[]} */
export const gateUsersControls = [
  {
    rule: "a gate on an address that others reach does not start without users",
    patches: [
      {
        file: "src/cli/commands/gate-users.ts",
        from: "if (!said && !isLoopback(host))",
        to: 'if (!said && host === "")',
      },
    ],
    project: "e2e",
    tests: "test/e2e/gate-users.test.ts",
    name: "on all addresses, if nothing says who may use it",
  },
  {
    rule: "who may read through the gate may not push for that reason",
    patches: [{ file: "src/gate/users.ts", from: "if (anonymous[access]) return", to: "if (anonymous.read) return" }],
    project: "integration",
    tests: "test/integration/gate-users.test.ts",
    name: "push where everybody may read",
  },
  {
    rule: "a wrong password is no anonymous client",
    patches: [
      {
        file: "src/gate/htpasswd.ts",
        from: 'throw unauthorized("The name or the password is wrong.");',
        to: "return undefined;",
      },
    ],
    project: "integration",
    tests: "test/integration/gate-users.test.ts",
    name: "push where everybody may read",
  },
];
