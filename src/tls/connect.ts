// A TLS connection to another device. It is handed over only when the other side has proved to be that device.
import { connect, type SecureContextOptions, type TLSSocket } from "node:tls";
import type { Identity } from "./identity.ts";
import { STRONG_CIPHERS } from "./mutual-tls.ts";
import { instant, type PeerCertificate, peerCertificate } from "./peer-certificate.ts";

/** The owner and the key of a device that was asked. */
export interface ServerKey {
  readonly identity: Identity;
  readonly key: PeerCertificate["key"];
}

export interface PeerAddress {
  readonly host: string;
  readonly port: number;
  readonly tls: SecureContextOptions;
  readonly device: string;
  readonly trustDomain: string;
  /** Returns why nothing is asked of a device with that key. */
  readonly refuses: (shown: ServerKey) => Error | undefined;
}

/** Connects to a device. Calls `done` with the connection and its certificate, or with the reason why there is none. */
export function connectToPeer(
  address: PeerAddress,
  done: (error: Error | null, socket?: TLSSocket, certificate?: PeerCertificate) => void,
): void {
  const { host, port, tls, device, trustDomain } = address;
  const socket = connect({
    ...tls,
    host,
    port,
    servername: device,
    minVersion: "TLSv1.3",
    ciphers: STRONG_CIPHERS,
    // Checked below, where the certificate that is refused can still be read.
    rejectUnauthorized: false,
    // The certificate must name the device, which `faultOf` checks. The host in the address proves nothing.
    checkServerIdentity: () => undefined,
  });
  const failed = (error: Error) => done(error);
  socket.once("error", failed);
  socket.once("secureConnect", () => {
    socket.off("error", failed);
    const certificate = peerCertificate(socket, trustDomain);
    const fault = faultOf(socket, certificate, address);
    if (fault === undefined) return done(null, socket, certificate);
    socket.on("error", () => {});
    socket.destroy();
    done(new Error(fault));
  });
}

/** Returns why a certificate of another device is not used any more, or undefined. */
export function endOf({ endsAt, beginsAt }: PeerCertificate, device: string): string | undefined {
  if (Date.now() > endsAt) return `its certificate ended at ${instant(endsAt)}; issue a new one for device ${device}`;
  if (Date.now() < beginsAt)
    return `its certificate is valid from ${instant(beginsAt)} on; set the clocks of both machines`;
  return undefined;
}

/** Returns why the other side is not the device, or undefined when it is. */
function faultOf(
  socket: TLSSocket,
  certificate: PeerCertificate | undefined,
  { device, refuses }: PeerAddress,
): string | undefined {
  if (certificate === undefined) return "it has shown no certificate";
  const { identity, key } = certificate;
  if (identity?.role !== "device" || identity.name !== device) return `its certificate is not that of device ${device}`;
  const ended = endOf(certificate, device);
  if (ended !== undefined) return ended;
  if (!socket.authorized) return `its certificate is refused (${String(socket.authorizationError)})`;
  return refuses({ identity, key })?.message;
}
