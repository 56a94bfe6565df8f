// How other devices are asked for objects.

import type { Setting } from "./setting.ts";
import { anyText, hostPort, notEmpty, oneOf, userName } from "./setting-checks.ts";

const SERVE = ["serve"];

export const PEER_SETTINGS = {
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
} as const satisfies Record<string, Setting>;
