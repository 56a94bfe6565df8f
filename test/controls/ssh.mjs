// Negative controls of ssh between devices.

/** @type {import("./controls.mjs").Control[]} */
export const sshControls = [
  {
    rule: "ssh to a device checks the host key",
    patches: [{ file: "src/ssh/options.ts", from: 'StrictHostKeyChecking: "yes"', to: 'StrictHostKeyChecking: "no"' }],
    project: "e2e",
    tests: "test/e2e/ssh-devices.test.ts",
    name: "refuses a host key",
  },
  {
    rule: "a device pushes nothing over ssh",
    patches: [
      {
        file: "src/git-port/ssh-greeting.ts",
        from: 'if (command === "upload-pack") return',
        to: "if (command !== undefined) return",
      },
    ],
    project: "e2e",
    tests: "test/e2e/ssh-devices.test.ts",
    name: "never takes its push",
  },
  {
    rule: "a device fetches over ssh only what it holds",
    patches: [
      {
        file: "src/git-port/ssh-server.ts",
        from: "await mayFetch(context, device, { id }).catch(",
        to: "await mayFetch(context, context.me.device, { id }).catch(",
      },
    ],
    project: "e2e",
    tests: "test/e2e/ssh-devices.test.ts",
    name: "only repositories that it holds",
  },
  {
    rule: "ssh has the old key of a device until the cluster trusts the new one",
    patches: [
      {
        file: "src/ssh/watched-keys.ts",
        from: "if (fault === undefined) await this.#copy(read);",
        to: "await this.#copy(read);",
      },
    ],
    project: "integration",
    tests: "test/integration/ssh-keys.test.ts",
    name: "are used when the cluster trusts them",
  },
  {
    rule: "a device that is not reached over https is asked over ssh",
    patches: [
      {
        file: "src/sidecar/ways.ts",
        from: "this.#unreached.set(device, performance.now());",
        to: "throw error;",
      },
    ],
    project: "integration",
    tests: "test/integration/peer-transport.test.ts",
    name: "is ssh where it is not reached",
  },
];
