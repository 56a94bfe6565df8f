// The name of a device, and the addresses that it uses.

import type { Setting } from "./setting.ts";
import { hostName, hostNames, hostPort, notEmpty, oneOf, postgresUrl } from "./setting-checks.ts";

const SERVE = ["serve"];
const DATABASE = ["serve", "migrate", "demo"];
const CLIENT = [
  "repo",
  "device",
  "frontend",
  "operator",
  "audit",
  "status",
  "sync",
  "lock",
  "write-lock",
  "thaw",
  "log",
  "verify",
  "command",
  "watch",
  "hook",
  "retention",
  "ssh-connect",
  "install-shims",
  "gate",
  "serve",
];

export const DEVICE_SETTINGS = {
  device: { check: notEmpty, value: "NAME", help: "name of this device, as in its certificate", commands: SERVE },
  root: {
    check: notEmpty,
    value: "DIR",
    help: "directory of the repositories: NAME lies at DIR/NAME.git",
    commands: ["serve", "gate", "install-shims", "shell"],
  },
  "database-url": {
    check: postgresUrl,
    value: "URL",
    help: "address of PostgreSQL, as libpq takes it: postgres://user@host:port/database or key=value words, also with several hosts; no password on the command line",
    commands: DATABASE,
  },
  "database-url-file": {
    check: notEmpty,
    value: "FILE",
    help: "file with the database URL, password included",
    commands: DATABASE,
  },
  "owner-url-file": {
    check: notEmpty,
    value: "FILE",
    help: "file with the database URL of the owner of the schema; the command then goes to the database itself, not to the sidecar",
    commands: ["device", "frontend", "operator", "retention"],
  },
  "notify-database-url": {
    check: postgresUrl,
    value: "URL",
    help: "address of PostgreSQL for LISTEN, if --database-url leads through a pooler in transaction mode; without it polling finds new versions",
    commands: SERVE,
  },
  listen: {
    check: hostPort,
    value: "HOST:PORT",
    default: "127.0.0.1:7420",
    help: "address of gRPC over mutual TLS",
    commands: SERVE,
  },
  "git-listen": {
    check: hostPort,
    value: "HOST:PORT",
    default: "127.0.0.1:7421",
    help: "address for other devices: packs, and git upload-pack for their stock git; over mutual TLS, read-only",
    commands: SERVE,
  },
  "http-listen": {
    check: hostPort,
    value: "HOST:PORT",
    default: "127.0.0.1:7422",
    help: "address of plain HTTP for this machine: health, metrics, /gate, status page",
    commands: SERVE,
  },
  "status-page": {
    check: oneOf("on", "off", "auto"),
    value: "WHEN",
    default: "auto",
    help: "whether --http-listen shows the status page of the cluster, read-only and without users: on, off, or auto (on loopback only)",
    commands: SERVE,
  },
  advertise: {
    check: hostName,
    value: "HOST",
    help: "host name at which other devices reach this one (default: the host of --git-listen)",
    commands: SERVE,
  },
  "host-names": {
    check: hostNames,
    value: "NAMES",
    default: "",
    help: "more names under which clients reach --http-listen or the gate, comma-separated; IP addresses, names without a dot and --advertise need none; *: any",
    commands: ["serve", "gate"],
  },
  "socket-dir": {
    check: notEmpty,
    value: "DIR",
    default: "/run/lockstep",
    help: "directory of lockstep.sock and hook.sock",
    commands: CLIENT,
  },
} as const satisfies Record<string, Setting>;
