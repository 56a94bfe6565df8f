// The options of every TLS server that devices, front ends and operators reach. Each has a limit of its own on the time
// of a handshake (connection-limits.ts).
import { constants } from "node:crypto";
import { DEFAULT_CIPHERS, type TlsOptions } from "node:tls";

/** The ciphers of Node, with OpenSSL's security level 2: certificates with RSA keys below 2,048 bits are refused. */
export const STRONG_CIPHERS = `${DEFAULT_CIPHERS}:@SECLEVEL=2`;

export const MUTUAL_TLS = {
  minVersion: "TLSv1.3",
  ciphers: STRONG_CIPHERS,
  requestCert: true,
  // `Peers.watch` refuses what TLS finds fault with, and the log then says whose certificate it was.
  rejectUnauthorized: false,
  // A resumed session would skip the look at the certificate. Without a cache of sessions here, the tickets that TLS
  // 1.3 then sends lead nowhere.
  secureOptions: constants.SSL_OP_NO_TICKET,
} as const satisfies TlsOptions;
