// How much the work of a device may cost, and what it writes down.
import type { Setting } from "./setting.ts";
import { addressRanges, digits, oneOf, within } from "./setting-checks.ts";

const SERVE = ["serve"];

export const WORK_SETTINGS = {
  "ref-format": {
    check: oneOf("files", "reftable"),
    value: "FORMAT",
    default: "files",
    help: "format in which git stores the refs of new replicas: files, or reftable (needs git 2.46 here and in the git server); devices may differ",
    commands: ["serve", "demo"],
  },
  "database-connections": {
    check: within(2, 100, "a number of connections"),
    value: "CONNECTIONS",
    default: "8",
    help: "how many connections to PostgreSQL pushes, catch-ups and operators share; the sidecar has 4 more, for reads, its lease and LISTEN",
    commands: SERVE,
  },
  "in-doubt-seconds": {
    check: digits("a number of seconds"),
    value: "SECONDS",
    default: "900",
    help: "how long the sidecar asks for the outcome of a push while the database does not answer; then it cuts the pusher off",
    commands: SERVE,
  },
  "gc-threads": {
    check: digits("a number of threads"),
    value: "THREADS",
    default: "1",
    help: "how many threads gc may use to search for deltas, at a low priority (pack.threads); 0: one for each processor",
    commands: SERVE,
  },
  "gc-memory": {
    check: digits("a number of MiB"),
    value: "MIB",
    default: "256",
    help: "how much memory each of these threads may use (pack.windowMemory); 0: no limit",
    commands: SERVE,
  },
  "scrub-days": {
    check: digits("a number of days"),
    value: "DAYS",
    default: "30",
    help: "within how many days every replica is verified in full, one after another; 0: only when somebody runs `lockstep verify --full`",
    commands: SERVE,
  },
  "push-refs": {
    check: digits("a number of refs"),
    value: "REFS",
    default: "50000",
    help: "how many refs one push may change that comes through the gate, or over ssh through Lockstep's programs; 0: any number",
    commands: ["serve", "gate", "install-shims"],
  },
  "push-object": {
    check: digits("a number of MiB"),
    value: "MIB",
    default: "1024",
    help: "every object of such a push must be smaller than this, unpacked; 0: any size",
    commands: ["serve", "gate", "install-shims"],
  },
  "push-memory": {
    check: digits("a number of MiB"),
    value: "MIB",
    default: "2048",
    help: "how much memory each git process of such a push may use; 0: no limit",
    commands: ["serve", "gate", "install-shims"],
  },
  "pack-cache-mib": {
    check: digits("a number of MiB"),
    value: "MIB",
    default: "1024",
    help: "disk space for packs that clients of the gate or of ssh share for five minutes; 0: none are shared; needs the native shim",
    commands: SERVE,
  },
  "pull-log-rate": {
    check: digits("a number of rows"),
    value: "ROWS",
    default: "5",
    help: "how many rows a second the pull log gets (`lockstep log --pulls`); of more reads a sample is taken; 0: none",
    commands: ["serve", "gate"],
  },
  "hook-addresses": {
    check: addressRanges,
    value: "ADDRESSES",
    help: "addresses to which webhooks may lead, such as 10.0.0.0/8 (default: all that a receiver may have; this machine only where the URL says so)",
    commands: SERVE,
  },
  "log-level": {
    check: oneOf("debug", "info", "warn", "error"),
    value: "LEVEL",
    default: "info",
    help: "debug, info, warn or error; logs are JSON lines on standard error",
    commands: ["serve", "gate", "demo"],
  },
} as const satisfies Record<string, Setting>;
