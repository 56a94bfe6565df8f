// Where a client connects to, and with which credentials.
import { X509Certificate } from "node:crypto";
import { credentials, type VerifyOptions } from "@grpc/grpc-js";
import { LockstepError } from "../errors.ts";
import { certificateIdentity, parseIdentity } from "../tls/identity.ts";

export type Endpoint =
  /** The unix socket of the sidecar on this machine: SOCKET_DIR/lockstep.sock. */
  | { readonly socket: string }
  /**
   * The gRPC address of a device (HOST:7420), with this caller's credentials as PEM. The certificate of the server must
   * be that of `device`; without `device`, that of any device of the trust domain. The trust domain is that of `cert`,
   * unless `trustDomain` says otherwise.
   */
  | {
      readonly address: string;
      readonly ca: string | Uint8Array;
      readonly cert: string | Uint8Array;
      readonly key: string | Uint8Array;
      readonly trustDomain?: string;
      readonly device?: string;
    };

/** Returns the address of gRPC, and the credentials of the channel. */
export function channelOf(endpoint: Endpoint): [string, ReturnType<typeof credentials.createSsl>] {
  if ("socket" in endpoint) return [`unix:${endpoint.socket}`, credentials.createInsecure()];
  const { ca, cert, key, device } = endpoint;
  const trustDomain = endpoint.trustDomain ?? trustDomainOf(cert);
  const verify: VerifyOptions = {
    checkServerIdentity: (_, certificate) => {
      const identity = certificateIdentity(certificate.subjectaltname, trustDomain);
      const right = identity?.role === "device" && (device === undefined || identity.name === device);
      return right ? undefined : new Error(`its certificate is not that of ${device ?? `a device of ${trustDomain}`}`);
    },
  };
  const pem = (text: string | Uint8Array) => Buffer.from(text as string);
  return [endpoint.address, credentials.createSsl(pem(ca), pem(key), pem(cert), verify)];
}

/** Returns the trust domain in the first certificate of `pem`. Throws USAGE if it has none. */
function trustDomainOf(pem: string | Uint8Array): string {
  let names: string | undefined;
  try {
    names = new X509Certificate(pem).subjectAltName;
  } catch (cause) {
    throw new LockstepError("USAGE", "`cert` is no certificate in PEM; pass the content of the file, not its name.", {
      cause,
    });
  }
  const uri = (names ?? "").split(", ").find((name) => name.startsWith("URI:spiffe:"));
  const identity = uri && parseIdentity(uri.slice("URI:".length));
  if (identity) return identity.trustDomain;
  throw new LockstepError(
    "USAGE",
    "`cert` has no URI spiffe://TRUST-DOMAIN/ROLE/NAME; make one with `lockstep ca issue`, or pass `trustDomain`.",
  );
}
