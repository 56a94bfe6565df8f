// Certificates, the trust in them, and the connections that show them.

import type { Setting } from "./setting.ts";
import { digits, notEmpty, oneOf, positive } from "./setting-checks.ts";

const SERVE = ["serve"];

export const CERTIFICATE_SETTINGS = {
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
    help: "let in certificates of --tls-ca whose name is new, and trust their keys; without it an operator says yes to each key",
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
    help: "how long a connection over mutual TLS, or to the gate over https, takes requests at most; then the other side connects again",
    commands: ["serve", "gate"],
  },
  "tls-connections": {
    check: positive("a number of connections above 0"),
    value: "CONNECTIONS",
    default: "32",
    help: "how many connections to the port of gRPC one certificate may have",
    commands: SERVE,
  },
  "tls-calls": {
    check: positive("a number of calls above 0"),
    value: "CALLS",
    default: "100",
    help: "how many calls at once each connection to the port of gRPC may have; further ones wait in the client",
    commands: SERVE,
  },
  "tls-handshakes": {
    check: positive("a number of connections above 0"),
    value: "CONNECTIONS",
    default: "256",
    help: "how many connections to each port of mutual TLS may be in their handshake; beyond that the oldest one is cut",
    commands: SERVE,
  },
  "tls-handshake-seconds": {
    check: positive("a number of seconds above 0"),
    value: "SECONDS",
    default: "5",
    help: "how long a handshake may take; then the connection is cut",
    commands: SERVE,
  },
} as const satisfies Record<string, Setting>;
