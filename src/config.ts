// The one table of settings: flag, environment variable, default, help. docs/configuration.md is written from here.
// read-config.ts reads flags and variables.
import {
  anyText,
  type Check,
  digits,
  hostName,
  hostNames,
  hostPort,
  httpUrl,
  notEmpty,
  oneOf,
  positive,
  postgresUrl,
  userName,
} from "./setting-checks.ts";

export interface Setting {
  readonly check: Check;
  /** Empty: the flag has no value, and the variable is 1 or 0. */
  readonly value: string;
  readonly default?: string;
  readonly help: string;
  /** The commands that take this setting. */
  readonly commands: readonly string[];
}

const SERVE = ["serve"];
const GATE = ["gate"];
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
  "gate",
  "serve",
];

export const SETTINGS = {
  device: { check: notEmpty, value: "NAME", help: "name of this device, as in its certificate", commands: SERVE },
  root: {
    check: notEmpty,
    value: "DIR",
    help: "directory of the repositories: NAME lies at DIR/NAME.git",
    commands: ["serve", "gate"],
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
    help: "address of PostgreSQL for LISTEN, if --database-url leads through a pooler in transaction mode; without it LISTEN goes to the pooler, and polling finds new versions",
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
    help: "address of plain HTTP for this machine: health, metrics, /gate",
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
    help: "more names under which clients reach --http-listen or the gate, with commas between them; IP addresses, names without a dot and --advertise need none; *: any name",
    commands: ["serve", "gate"],
  },
  "socket-dir": {
    check: notEmpty,
    value: "DIR",
    default: "/run/lockstep",
    help: "directory of lockstep.sock and hook.sock",
    commands: CLIENT,
  },
  "tls-cert": {
    check: notEmpty,
    value: "FILE",
    help: "certificate of this device, PEM, with one URI spiffe://TRUST-DOMAIN/device/NAME",
    commands: SERVE,
  },
  "tls-key": { check: notEmpty, value: "FILE", help: "private key of --tls-cert, PEM", commands: SERVE },
  "tls-ca": {
    check: notEmpty,
    value: "FILE",
    help: "certificates of the trusted authorities, PEM",
    commands: SERVE,
  },
  "trust-ca": {
    check: oneOf("1", "0"),
    value: "",
    help: "let in certificates of --tls-ca whose name is new, and trust their keys from then on; without it an operator says yes to each new key",
    commands: SERVE,
  },
  "enroll-token-file": {
    check: notEmpty,
    value: "FILE",
    help: "file with the token of `lockstep device enroll NAME --token`, with which this device has its key trusted; it may be gone once it was used",
    commands: SERVE,
  },
  "tls-reload-seconds": {
    check: digits("a number of seconds"),
    value: "SECONDS",
    default: "900",
    help: "how long requests that run may go on over old connections when new certificate files are there; new connections use the new files at once",
    commands: ["serve", "gate"],
  },
  "tls-connection-seconds": {
    check: positive("a number of seconds above 0"),
    value: "SECONDS",
    default: "3600",
    help: "how long a connection over mutual TLS takes requests at most; then the other side connects again",
    commands: SERVE,
  },
  "tls-connections": {
    check: positive("a number of connections above 0"),
    value: "CONNECTIONS",
    default: "32",
    help: "how many connections to the port of gRPC one certificate may have, each with 100 calls at once",
    commands: SERVE,
  },
  "peer-transport": {
    check: oneOf("https", "ssh", "auto"),
    value: "TRANSPORT",
    default: "auto",
    help: "how other devices are asked for objects: https (their git port), ssh (then this device has no git port), or auto: https, and ssh where a device has no git port or is not reached there",
    commands: SERVE,
  },
  "ssh-key": {
    check: notEmpty,
    value: "FILE",
    help: "private ed25519 key of this device for ssh to other devices, without a passphrase and readable by its owner only",
    commands: SERVE,
  },
  "ssh-host-key": {
    check: notEmpty,
    value: "FILE",
    help: "public host key of this machine's sshd, such as /etc/ssh/ssh_host_ed25519_key.pub; other devices accept no other one",
    commands: SERVE,
  },
  "ssh-advertise": {
    check: hostPort,
    value: "HOST:PORT",
    help: "where other devices reach the sshd of this machine",
    commands: SERVE,
  },
  "ssh-user": {
    check: userName,
    value: "USER",
    help: "account at that sshd that serves other devices (default: the user of the sidecar)",
    commands: SERVE,
  },
  zone: {
    check: anyText,
    value: "ZONE",
    default: "",
    help: "zone of this device; it fetches objects from its own zone first",
    commands: SERVE,
  },
  "ref-format": {
    check: oneOf("files", "reftable"),
    value: "FORMAT",
    default: "files",
    help: "format in which git stores the refs of new replicas: files, or reftable (needs git 2.46 here and in the git server); devices may differ",
    commands: ["serve", "demo"],
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
    commands: ["serve", "gate"],
  },
  "push-memory": {
    check: digits("a number of MiB"),
    value: "MIB",
    default: "2048",
    help: "how much memory each git process of such a push may use, where the native shim was built; 0: no limit",
    commands: ["serve", "gate"],
  },
  "pack-cache-mib": {
    check: digits("a number of MiB"),
    value: "MIB",
    default: "1024",
    help: "how much of the disk may hold packs that clients of the gate or of ssh asked for in the last five minutes, for others who ask for the same; needs the native shim; 0: each client has a pack of its own",
    commands: SERVE,
  },
  "log-level": {
    check: oneOf("debug", "info", "warn", "error"),
    value: "LEVEL",
    default: "info",
    help: "debug, info, warn or error; logs are JSON lines on standard error",
    commands: ["serve", "gate", "demo"],
  },
  "gate-listen": {
    check: hostPort,
    value: "HOST:PORT",
    default: "127.0.0.1:7480",
    help: "address of smart HTTP for git clients; on an address that is not loopback, one of the next settings says who may use it",
    commands: GATE,
  },
  "gate-requests": {
    check: digits("a number of requests"),
    value: "REQUESTS",
    default: "64",
    help: "how many requests the gate serves at once; further ones wait for at most 30 s",
    commands: GATE,
  },
  "gate-requests-per-address": {
    check: digits("a number of requests"),
    value: "REQUESTS",
    default: "8",
    help: "how many of them may come from one address, unless that is loopback",
    commands: GATE,
  },
  "gate-idle-seconds": {
    check: digits("a number of seconds"),
    value: "SECONDS",
    default: "60",
    help: "for how long a client may send nothing while the gate waits for the rest of its request",
    commands: GATE,
  },
  "gate-fetch-mib": {
    check: digits("a number of MiB"),
    value: "MIB",
    default: "16",
    help: "how long the request of a fetch may be, decompressed",
    commands: GATE,
  },
  "gate-cache-mib": {
    check: digits("a number of MiB"),
    value: "MIB",
    default: "64",
    help: "memory for git's answers about refs, which are given again while no ref has changed; 0: none is kept",
    commands: GATE,
  },
  "anonymous-reads": {
    check: oneOf("1", "0"),
    value: "",
    help: "let everybody read through the gate, without a name",
    commands: GATE,
  },
  "anonymous-writes": {
    check: oneOf("1", "0"),
    value: "",
    help: "let everybody push through the gate, without a name",
    commands: GATE,
  },
  "auth-request": {
    check: httpUrl,
    value: "URL",
    help: "ask this URL about each request, as nginx's auth_request does; it may contain {repository}, {access} (read or write) and {service} (git-upload-pack or git-receive-pack)",
    commands: GATE,
  },
  htpasswd: {
    check: notEmpty,
    value: "FILE",
    help: "file of users and passwords in the format of Apache's htpasswd; each of them may read and push",
    commands: GATE,
  },
  "gate-tls-cert": {
    check: notEmpty,
    value: "FILE",
    help: "certificate of the gate, PEM: https instead of http",
    commands: GATE,
  },
  "gate-tls-key": { check: notEmpty, value: "FILE", help: "private key of --gate-tls-cert, PEM", commands: GATE },
  "gate-client-ca": {
    check: notEmpty,
    value: "FILE",
    help: "authorities, PEM; users with a client certificate of theirs may read and push, and the common name is the user; needs --gate-tls-cert",
    commands: GATE,
  },
  "exit-with-pid": {
    check: digits("a process id"),
    value: "PID",
    help: "id of another process; when that process has ended, this one ends too, as the devices of the demo do",
    commands: ["serve", "gate"],
  },
} as const satisfies Record<string, Setting>;

export type SettingName = keyof typeof SETTINGS;
/** The settings of one run. Those without a default may be absent. */
export type Config = Readonly<Partial<Record<SettingName, string>>>;

/** Returns the environment variable of a setting: LOCKSTEP_HTTP_LISTEN for --http-listen. */
export function variableOf(name: SettingName): string {
  return `LOCKSTEP_${name.toUpperCase().replaceAll("-", "_")}`;
}

/** Returns the settings that a command takes. */
export function settingsOf(command: string): SettingName[] {
  return (Object.keys(SETTINGS) as SettingName[]).filter((name) =>
    (SETTINGS[name].commands as readonly string[]).includes(command),
  );
}
