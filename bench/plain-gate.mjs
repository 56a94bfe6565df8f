// The baseline for pushes: the same gate, which serves bare repositories without Lockstep.
import { startGate } from "../dist/gate/gate.js";
import { gateOptions } from "./gate-options.mjs";

const gate = await startGate({
  ...gateOptions,
  host: "127.0.0.1",
  port: 0,
  placeLimits: { requests: 64, perAddress: 64, waiting: 512, patienceMs: 30_000 },
  askingLimits: { requests: 1_024, perAddress: 1_024 },
});
console.log(JSON.stringify({ url: gate.url }));
process.on("SIGINT", () => void gate[Symbol.asyncDispose]().then(() => process.exit(0)));
