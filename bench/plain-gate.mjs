// The baseline for pushes: the same gate, which serves bare repositories without Lockstep.
import { BlockList } from "node:net";
import { startGate } from "../dist/gate/gate.js";
import { EVERYBODY } from "../dist/gate/users/users.js";

const silent = { info() {}, warn() {}, error() {} };
const gate = await startGate({
  host: "127.0.0.1",
  port: 0,
  root: process.argv[2],
  socketDir: "/nowhere",
  users: EVERYBODY,
  hostNames: new Set(),
  trustedProxies: new BlockList(),
  pushRefs: 0,
  pushLimiter: [],
  placeLimits: { requests: 64, perAddress: 64, waiting: 512, patienceMs: 30_000 },
  askingLimits: { requests: 1_024, perAddress: 1_024 },
  bodyLimits: { idleMs: 60_000, fetchBytes: 16 << 20 },
  beforeRead: async () => ({ unchangedMs: Number.POSITIVE_INFINITY }),
  log: silent,
  env: { PATH: process.env.PATH, HOME: process.env.HOME },
});
console.log(JSON.stringify({ url: gate.url }));
process.on("SIGINT", () => void gate[Symbol.asyncDispose]().then(() => process.exit(0)));
