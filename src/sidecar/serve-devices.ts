// Serves other devices: the git port, unless it is closed, and the socket for those that come over ssh.
import type { SecureContextOptions } from "node:tls";
import { type PortLimits, portOf } from "../git-port/route.ts";
import { type PackListener, servePacks } from "../git-port/server.ts";
import { serveSsh } from "../git-port/ssh-server.ts";
import { socketPath } from "../io/socket-path.ts";
import type { SyncContext } from "../sync/device/context.ts";
import type { Registry } from "../sync/registry/registry.ts";
import { sshTrustOf } from "../sync/registry/ssh-trust.ts";
import type { HandshakeLimits } from "../tls/connection-limits.ts";
import type { Peers, PeersOptions } from "../tls/peers.ts";
import type { readSettings } from "./read-settings.ts";

export interface DevicesOptions extends Required<Pick<PeersOptions, "onRefused">> {
  readonly gitListen: ReturnType<typeof readSettings>["gitListen"];
  readonly tlsConnectionMs: number;
  readonly portLimits: PortLimits;
  readonly handshakes: HandshakeLimits;
  readonly socketDir: string;
  readonly registry: Registry;
  readonly tls: SecureContextOptions;
  readonly peers: Peers;
}

/** Starts to serve. `gitPort` undefined: it is closed. */
export async function serveDevices(
  context: SyncContext,
  {
    gitListen: listen,
    tlsConnectionMs: maxAgeMs,
    socketDir,
    registry,
    tls,
    peers,
    onRefused,
    ...limits
  }: DevicesOptions,
): Promise<AsyncDisposable & { gitPort: PackListener | undefined }> {
  const path = socketPath(socketDir, "peer.sock");
  const trust = sshTrustOf(registry);
  const port = portOf(context, limits.portLimits);
  const door = await serveSsh(context, { path, port, trust, log: context.log, onRefused, maxAgeMs });
  const gitPort = listen && (await servePacks(context, { listen, tls, peers, port, handshakes: limits.handshakes }));
  return {
    gitPort,
    async [Symbol.asyncDispose]() {
      await gitPort?.[Symbol.asyncDispose]();
      await door[Symbol.asyncDispose]();
    },
  };
}
