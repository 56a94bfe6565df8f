// Negative controls of what one client may cost, on every port but the gate.

/** @type {import("./controls.mjs").Control[]} */
export const limitsControls = [
  {
    rule: "connections without a certificate keep no client with one out",
    patches: [
      { file: "src/tls/connection-limits.ts", from: "if (open.size <= most) return;", to: "if (open) return;" },
    ],
    project: "integration",
    tests: "test/integration/rpc-port-limits.test.ts",
    name: "is cut because of their number",
  },
  {
    rule: "connections to the socket of the shims that say nothing are few",
    patches: [{ file: "src/io/connections.ts", from: "if (this.#waiting.size <= this.most)", to: "if (socket)" }],
    project: "integration",
    tests: "test/integration/hook-socket-limits.test.ts",
    name: "that say nothing",
  },
  {
    rule: "a connection to the socket of the shims has a time for its first frame",
    patches: [
      {
        file: "src/io/connections.ts",
        from: "setTimeout(() => socket.destroy(),",
        to: "setTimeout(() => socket.ref(),",
      },
    ],
    project: "integration",
    tests: "test/integration/hook-socket-limits.test.ts",
    name: "are cut if their first frame",
  },
  {
    rule: "conversations with shims are few",
    patches: [{ file: "src/hook/server.ts", from: "if (conversations.size >= most)", to: "if (most < 0)" }],
    project: "integration",
    tests: "test/integration/hook-socket-limits.test.ts",
    name: "have so many conversations",
  },
  {
    rule: "the sidecar keeps no more commands of a push than it may have",
    patches: [{ file: "src/hook/proc-receive.ts", from: "this.#updates.length >= this.#limits.commands ||", to: "" }],
    project: "unit",
    tests: "test/unit/push-limits.test.ts",
    name: "of more only as many",
  },
  {
    rule: "a connection over ssh that ended meanwhile is not kept",
    patches: [{ file: "src/git-port/callers.ts", from: "if (socket.destroyed) throw", to: "if (!socket) throw" }],
    project: "unit",
    tests: "test/unit/ssh-callers.test.ts",
    name: "closes while the registry",
  },
  {
    rule: "a device has a limited number of connections over ssh",
    patches: [
      {
        file: "src/git-port/callers.ts",
        from: "connections.count(device, socket) <= connections.most",
        to: "connections.count(device, socket) > 0",
      },
    ],
    project: "unit",
    tests: "test/unit/ssh-callers.test.ts",
    name: "is one of so many of its device",
  },
  {
    rule: "a certificate has a limited number of connections",
    patches: [
      { file: "src/tls/peers.ts", from: "if (connection.over !== undefined) throw", to: "if (!connection) throw" },
    ],
    project: "integration",
    tests: "test/integration/rpc-port-limits.test.ts",
    name: "has so many connections",
  },
  {
    rule: "a certificate has a limited number of health watches",
    patches: [{ file: "src/rpc/health-watches.ts", from: "if (count >= EACH)", to: "if (count < 0)" }],
    project: "integration",
    tests: "test/integration/rpc-port-limits.test.ts",
    name: "may have 100 health watches",
  },
  {
    rule: "a caller that watches much leaves places for others",
    patches: [{ file: "src/fair-places.ts", from: "if (own >= this.#limits.own && ", to: "if (" }],
    project: "integration",
    tests: "test/integration/watch-places.test.ts",
    name: "calls of Watch",
  },
  {
    rule: "idle connections do not end the health check",
    patches: [{ file: "src/io/connections.ts", from: "if (count > most) longest", to: "if (count < 0) longest" }],
    project: "integration",
    tests: "test/integration/plain-port-limits.test.ts",
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
    patches: [{ file: "src/git-port/request-whole.ts", from: "if (this.big >= this.#most)", to: "if (this.big < 0)" }],
    project: "unit",
    tests: "test/unit/request-whole.test.ts",
    name: "is refused above 1 MiB",
  },
];
