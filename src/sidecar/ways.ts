// The ways from this device to others: over https, over ssh, or over https and then ssh.
import { LockstepError } from "../errors.ts";
import { PackClient, Unreached } from "../git/peers/pack-stream.ts";
import { type PeerLine, type SshLine, TlsLine } from "../git/peers/peer-lines.ts";
import type { WatchedSshKeys } from "../ssh/watched-keys.ts";
import type { Database } from "../store/database/database.ts";
import type { Peer, SyncContext } from "../sync/device/context.ts";
import type { Registry } from "../sync/registry/registry.ts";
import type { DeviceCredentials } from "../tls/device-files.ts";
import type { PeerTransport } from "./read-settings.ts";
import { openSsh } from "./ssh.ts";
import type { LockedRoot } from "./take-root.ts";

export interface Ways extends Disposable {
  readonly tls: TlsLine;
  /** undefined: this device has no ssh key. */
  readonly ssh: SshLine | undefined;
  /** How the rest of the sidecar asks other devices. */
  readonly asked: Pick<SyncContext, "openPack" | "requestHold" | "askDirectory" | "ssh">;
}

export interface WaysOptions extends Pick<DeviceCredentials, "tls" | "trustDomain"> {
  readonly transport: PeerTransport;
  readonly sshKeys: WatchedSshKeys;
  readonly db: Database;
  readonly registry: Registry;
  readonly root: LockedRoot;
  /** Where programs are looked for. */
  readonly path: string;
}

/** Opens the ways. Each ends its connections when the registry does not trust the other side any more. */
export function openWays(options: WaysOptions): Ways {
  const { transport, sshKeys, db, registry, root, tls, trustDomain, path } = options;
  const line = new TlsLine(tls, trustDomain, (shown) => registry.serverRefusedError(shown));
  const ssh = openSsh({ db, registry, keyFile: sshKeys.keyFile, root: root.path, shim: root.shim.path, path });
  const change = registry.onChange(() => {
    line.checkAgain();
    ssh.line?.checkAgain();
  });
  return {
    tls: line,
    ssh: ssh.line,
    asked: { ...questionsOf(transport, { tls: line, ssh: ssh.line }), ssh: ssh.access },
    [Symbol.dispose]() {
      change[Symbol.dispose]();
      ssh.line?.[Symbol.dispose]();
      line[Symbol.dispose]();
    },
  };
}

/** Where ssh is the other way, a device must be reached over https in this time. */
const CONNECT_MS = 2_000;
/** A device that was not reached over https is asked over ssh at once for so long. */
const REMEMBERED_MS = 60_000;

type Questions = Pick<SyncContext, "openPack" | "requestHold" | "askDirectory">;
type Ask<T> = (client: PackClient, address: string) => Promise<T>;

/** Returns the functions that ask another device by a transport. `ssh` undefined: this device has no ssh key. */
export function questionsOf(transport: PeerTransport, lines: { tls: PeerLine; ssh: PeerLine | undefined }): Questions {
  const transports = new Transports(transport, lines);
  return {
    openPack: (peer, ...request) =>
      transports.via(peer, (client, address) => client.open(peer.device, address, ...request)),
    requestHold: (peer, ...request) =>
      transports.via(peer, (client, address) => client.hold(peer.device, address, ...request)),
    askDirectory: (peer, ...request) =>
      transports.via(peer, (client, address) => client.ask(peer.device, address, ...request)),
  };
}

class Transports {
  readonly #mode: PeerTransport;
  readonly #https: PackClient;
  /** For devices that could be asked over ssh too. */
  readonly #quick: PackClient;
  readonly #ssh: PackClient | undefined;
  readonly #unreached = new Map<string, number>();

  constructor(mode: PeerTransport, { tls, ssh }: { tls: PeerLine; ssh: PeerLine | undefined }) {
    this.#mode = mode;
    this.#https = new PackClient(tls);
    this.#quick = new PackClient(tls, CONNECT_MS);
    this.#ssh = ssh && new PackClient(ssh);
  }

  /** Asks the peer over the first way that leads there. */
  async via<T>(peer: Peer, ask: Ask<T>): Promise<T> {
    const { device, gitAddress, sshAddress = "", sshUser = "" } = peer;
    const ssh = this.#mode === "https" || sshAddress === "" ? undefined : this.#ssh;
    const overHttps = this.#mode !== "ssh" && gitAddress !== "";
    if (ssh === undefined) {
      if (overHttps) return await ask(this.#https, gitAddress);
      throw this.#noWayError(device);
    }
    const overSsh = async () => await ask(ssh, `${sshUser}@${sshAddress}`);
    if (!overHttps || this.#remembers(device)) return await overSsh();
    try {
      return await ask(this.#quick, gitAddress);
    } catch (error) {
      if (!(error instanceof Unreached)) throw error;
      this.#unreached.set(device, performance.now());
      return await overSsh();
    }
  }

  #remembers(device: string): boolean {
    return performance.now() - (this.#unreached.get(device) ?? Number.NEGATIVE_INFINITY) < REMEMBERED_MS;
  }

  #noWayError(device: string): LockstepError {
    const why =
      this.#mode === "https"
        ? `it has no git port, and --peer-transport of this device is https`
        : this.#ssh === undefined
          ? "it can be asked over ssh only, and this device has no --ssh-key"
          : "it has no --ssh-advertise";
    return new LockstepError("SOURCE_FAILED", why, { details: { device } });
  }
}
