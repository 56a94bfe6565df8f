// The options of the gates that serve bare repositories without Lockstep.
import { BlockList } from "node:net";
import { EVERYBODY } from "../dist/gate/users/users.js";

export const gateOptions = {
  root: process.argv[2],
  socketDir: "/nowhere",
  users: EVERYBODY,
  hostNames: new Set(),
  trustedProxies: new BlockList(),
  pushRefs: 0,
  pushLimiter: [],
  bodyLimits: { idleMs: 60_000, fetchBytes: 16 << 20 },
  beforeRead: async () => ({ unchangedMs: Number.POSITIVE_INFINITY }),
  log: { info() {}, warn() {}, error() {} },
  env: { PATH: process.env.PATH, HOME: process.env.HOME },
};
