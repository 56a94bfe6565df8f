// Negative controls of signals that end work.

/** @type {import("./controls.mjs").Control[]} */
export const signalControls = [
  {
    rule: "a signal for one piece of work leaves its parents",
    patches: [{ file: "src/io/signals.ts", from: "[Symbol.dispose]: detach", to: "[Symbol.dispose]: () => {}" }],
    project: "unit",
    tests: "test/unit/signals.test.ts",
    name: "leaves its parents",
  },
  {
    rule: "a request leaves no signal behind",
    patches: [
      {
        file: "src/rpc/handlers/before-read.ts",
        from: "forPush: request.forPush, signal };",
        to: "forPush: request.forPush, signal: AbortSignal.any([signal, context.signal]) };",
      },
    ],
    project: "integration",
    tests: "test/integration/many-requests.test.ts",
    name: "",
  },
];
