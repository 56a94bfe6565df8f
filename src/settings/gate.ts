// The reference front end.

import type { Setting } from "./setting.ts";
import { addressRanges, digits, hostPort, httpUrl, notEmpty, oneOf } from "./setting-checks.ts";

const GATE = ["gate"];

export const GATE_SETTINGS = {
  "gate-listen": {
    check: hostPort,
    value: "HOST:PORT",
    default: "127.0.0.1:7480",
    help: "address of smart HTTP for git clients; on an address that is not loopback, one of the next settings says who may use it",
    commands: GATE,
  },
  "gate-http-listen": {
    check: hostPort,
    value: "HOST:PORT",
    help: "address of plain HTTP for health and metrics of the gate: /livez, /readyz, /metrics (default: none)",
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
    help: "how many of them may come from one address, or one /64 of IPv6, unless that is loopback",
    commands: GATE,
  },
  "gate-trusted-proxies": {
    check: addressRanges,
    value: "ADDRESSES",
    help: "proxies before the gate, as addresses or ranges such as 10.0.0.0/8; the gate believes their X-Forwarded-For (default: none)",
    commands: GATE,
  },
  "gate-idle-seconds": {
    check: digits("a number of seconds"),
    value: "SECONDS",
    default: "60",
    help: "for how long a client may send nothing of a request that has begun, or take nothing of its answer",
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
  "gate-client-crl": {
    check: notEmpty,
    value: "FILE",
    help: "lists of revoked certificates (CRL), PEM, one of each authority of --gate-client-ca; users with a certificate in a list are refused",
    commands: GATE,
  },
} as const satisfies Record<string, Setting>;
