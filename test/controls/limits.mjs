// Negative controls of what one client may cost, on every port but the gate.

/** @type {import("./controls.mjs").Control[]} */
export const limitsControls = [
  {
    rule: "connections without a certificate keep no client with one out",
    patches: [
      { file: "src/tls/connection-limits.ts", from: "if (open.size <= most) return;", to: "if (open) return;" },
    ],
    project: "integration",
    tests: "test/integration/port-limits.test.ts",
    name: "is one of so many",
  },
  {
    rule: "a certificate has a limited number of connections",
    patches: [
      { file: "src/tls/peers.ts", from: "if (connection.over !== undefined) throw", to: "if (!connection) throw" },
    ],
    project: "integration",
    tests: "test/integration/port-limits.test.ts",
    name: "has so many connections",
  },
  {
    rule: "a certificate has a limited number of health watches",
    patches: [{ file: "src/rpc/health-watches.ts", from: "if (count >= EACH)", to: "if (count < 0)" }],
    project: "integration",
    tests: "test/integration/port-limits.test.ts",
    name: "may have 100 health watches",
  },
  {
    rule: "idle connections do not end the health check",
    patches: [{ file: "src/io/connections.ts", from: "if (count > most) longest", to: "if (count < 0) longest" }],
    project: "integration",
    tests: "test/integration/port-limits.test.ts",
    name: "end no health check",
  },
  {
    rule: "an object that one request names often is kept once",
    patches: [
      {
        file: "src/sync/copies/hold-request.ts",
        from: "wants: [...new Set(wants)], haves",
        to: "wants: [...wants], haves",
      },
    ],
    project: "unit",
    tests: "test/unit/hold-request.test.ts",
    name: "keeps an object once",
  },
  {
    rule: "few big requests of other devices are in memory at once",
    patches: [{ file: "src/git-port/request-whole.ts", from: "if (this.#big >= BIG_LIMIT)", to: "if (this.#big < 0)" }],
    project: "unit",
    tests: "test/unit/request-whole.test.ts",
    name: "is refused above 1 MiB",
  },
];
