// How other devices are asked for objects.

import type { Setting } from "./setting.ts";
import { anyText, hostPort, notEmpty, oneOf, positive, userName } from "./setting-checks.ts";

const SERVE = ["serve"];

export const PEER_SETTINGS = {
  "peer-transport": {
    check: oneOf("https", "ssh", "auto"),
    value: "TRANSPORT",
    default: "auto",
    help: "how other devices are asked for objects: https, ssh (then this device has no git port), or auto: ssh only where https is not possible",
    commands: SERVE,
  },
  "peer-packs": {
    check: positive("a number of packs above 0"),
    value: "PACKS",
    default: "8",
    help: "how many packs for other devices are made here at once; another device is told to ask elsewhere",
    commands: SERVE,
  },
  "peer-packs-each": {
    check: positive("a number of packs above 0"),
    value: "PACKS",
    default: "2",
    help: "how many packs each device gets at once although --peer-packs are being made already",
    commands: SERVE,
  },
  "peer-copies": {
    check: positive("a number of requests above 0"),
    value: "REQUESTS",
    default: "100",
    help: "how many requests of one device for copies (--min-copies) are answered here at once",
    commands: SERVE,
  },
  "peer-big-requests": {
    check: positive("a number of requests above 0"),
    value: "REQUESTS",
    default: "4",
    help: "how many requests of other devices above 1 MiB may be in memory here at once; each has 16 MiB at most",
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
} as const satisfies Record<string, Setting>;
