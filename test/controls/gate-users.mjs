// Negative controls of who may use the gate, and of what its clients may cost.

/** @type {import("./controls.mjs").Control[]} */
export const gateUsersControls = [
  {
    rule: "a gate on an address that others reach does not start without users",
    patches: [
      {
        file: "src/gate/users/read-users.ts",
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
    patches: [
      { file: "src/gate/users/users.ts", from: "if (anonymous[access]) return", to: "if (anonymous.read) return" },
    ],
    project: "integration",
    tests: "test/integration/gate-users.test.ts",
    name: "push where everybody may read",
  },
  {
    rule: "a wrong password is no anonymous client",
    patches: [
      {
        file: "src/gate/users/htpasswd.ts",
        from: 'throw new RefusedCredentials(unauthorizedRefusal("The name or the password is wrong."), shown);',
        to: "return undefined;",
      },
    ],
    project: "integration",
    tests: "test/integration/gate-users.test.ts",
    name: "push where everybody may read",
  },
  {
    rule: "a further request waits without a git while the gate serves as many as it may",
    patches: [
      {
        file: "src/gate/places.ts",
        from: "const left = this.#limits.requests - this.#count;",
        to: "const left = 1_000 - this.#count;",
      },
    ],
    project: "integration",
    tests: "test/integration/gate-limits.test.ts",
    name: "waits without a git",
  },
  {
    rule: "a read that waits for a copy takes no place from the readers of other repositories",
    patches: [
      {
        file: "src/gate/turn.ts",
        from: "this.#asking = asking.takeFree(address);",
        to: "this.#asking = asking.takeFree(address);\n    this.#place = serving.takeFree(address);",
      },
    ],
    project: "integration",
    tests: "test/integration/gate-limits.test.ts",
    name: "take no place",
  },
  {
    rule: "a client that stalls in the middle of its request is cut off",
    patches: [
      {
        file: "src/smart-http/request-body.ts",
        from: "timer = setTimeout(() => reject(refusal()), ms);",
        to: "timer = setTimeout(() => reject(refusal()), ms * 1000);",
      },
    ],
    project: "integration",
    tests: "test/integration/gate-limits.test.ts",
    name: "that stalls is ended",
  },
  {
    rule: "a delta may not describe an object that needs more memory than the limit",
    patches: [{ file: "src/git/command/serve.ts", from: "const OBJECT_MIB = 1_024;", to: "const OBJECT_MIB = 9_216;" }],
    project: "integration",
    tests: "test/integration/gate-memory.test.ts",
    name: "with an object of 1.1 GB is refused",
  },
  {
    rule: "a large object that is no delta is refused",
    patches: [
      {
        file: "src/git/command/serve.ts",
        from: 'const WHOLE_IN_MEMORY: Settings = { "core.bigFileThreshold": "1048576g" };',
        to: "const WHOLE_IN_MEMORY: Settings = {};",
      },
    ],
    project: "integration",
    tests: "test/integration/gate-memory.test.ts",
    name: "at the limit is refused",
  },
  {
    rule: "the gate limits each client of a trusted proxy",
    patches: [
      {
        file: "src/gate/serve-git.ts",
        from: "new Turn(crowd, isLocal ? undefined : address)",
        to: "new Turn(crowd, isLocal ? undefined : undefined)",
      },
    ],
    project: "integration",
    tests: "test/integration/gate-limits.test.ts",
    name: "are limited for each client of a trusted proxy",
  },
  {
    rule: "a client behind a trusted proxy does not choose its address",
    patches: [{ file: "src/io/client-address.ts", from: "plain(told.pop() ??", to: "plain(told.shift() ??" }],
    project: "unit",
    tests: "test/unit/client-address.test.ts",
    name: "is the last one that is told",
  },
  {
    rule: "a flood of wrong passwords makes few rows of the audit",
    patches: [
      {
        file: "src/telemetry/tally.ts",
        from: "const apart = this.#kinds.has(key) || this.#kinds.size < kinds;",
        to: "const apart = true;",
      },
    ],
    project: "unit",
    tests: "test/unit/tally.test.ts",
    name: "in one call for a thousand of many names and addresses",
  },
  {
    rule: "equal wrong passwords are told once in a while, not each",
    patches: [
      { file: "src/telemetry/tally.ts", from: "now - handedAt >= eachMs", to: "now - handedAt >= 0" },
      {
        file: "src/telemetry/tally.ts",
        from: "this.#timer ??= setTimeout(() => void this.#handOver(EACH_MS), SOON_MS).unref();",
        to: "this.#timer ??= setTimeout(() => void this.#handOver(EACH_MS), 0).unref();",
      },
    ],
    project: "e2e",
    tests: "test/e2e/gate-refusals.test.ts",
    name: "a thousand wrong passwords",
  },
  {
    rule: "a request without credentials is no refused credential",
    patches: [
      {
        file: "src/gate/users/auth-request.ts",
        from: "if (authorization === undefined && cookie === undefined) return refusal;",
        to: "",
      },
    ],
    project: "integration",
    tests: "test/integration/gate-refusals.test.ts",
    name: "another server's answer 401 to {} tells",
  },
  {
    rule: "a user of the gate whose certificate is revoked loses an open connection",
    patches: [
      {
        file: "src/gate/tls/connections.ts",
        from: "else if (isRevoked(chain))",
        to: "else if (isRevoked([]))",
      },
    ],
    project: "integration",
    tests: "test/integration/gate-client-crl.test.ts",
    name: "loses the connection that is open when a new list comes",
  },
  {
    rule: "a connection to the gate is cut when the certificate of its user ends",
    patches: [
      {
        file: "src/gate/tls/connections.ts",
        from: "if (endsAt <= Date.now()) cut(",
        to: "if (endsAt <= 0) cut(",
      },
    ],
    project: "integration",
    tests: "test/integration/gate-client-crl.test.ts",
    name: "is cut when the certificate of its user ends",
  },
];
