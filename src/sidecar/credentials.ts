// The certificates and ssh keys of this device: read at the start, and watched while the process runs.
import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "pino";
import type { PackListener } from "../git-port/server.ts";
import type { RpcServers } from "../rpc/server.ts";
import type { Config } from "../settings/config.ts";
import type { WatchedSshKeys } from "../ssh/watched-keys.ts";
import type { Database } from "../store/database/database.ts";
import { enrollSelf, type OwnKey } from "../sync/registry/enroll-self.ts";
import { enrollSshKeys } from "../sync/registry/enroll-ssh.ts";
import { keyWarning, readTls } from "../tls/device-files.ts";
import { certificateKey } from "../tls/peer-certificate.ts";
import type { Peers } from "../tls/peers.ts";
import { WatchedCredentials } from "../tls/watched-credentials.ts";
import { WAITS } from "../waits.ts";
import type { Ways } from "./ways.ts";

/** Reads the certificate files, and warns when others may read the key. Throws USAGE. */
export async function openCredentials(config: Config, device: string, log: Logger): Promise<WatchedCredentials> {
  const credentials = new WatchedCredentials(config, await readTls(config, device), log);
  const warning = await keyWarning(config);
  if (warning !== undefined) log.warn({ err: warning }, "the private key is not private");
  return credentials;
}

/** Returns the key of the certificate that this device uses at that moment, and how it is enrolled. */
export function ownKeyOf(
  credentials: WatchedCredentials,
  how: Omit<OwnKey, "key">,
): OwnKey & { readonly key: ReturnType<typeof certificateKey> } {
  return {
    ...how,
    get key() {
      return certificateKey(credentials.current.tls.cert);
    },
  };
}

interface Users {
  readonly db: Database;
  readonly own: OwnKey;
  readonly log: Logger;
  readonly ways: Pick<Ways, "tls" | "ssh">;
  readonly gitPort: PackListener | undefined;
  readonly rpc: RpcServers;
  readonly peers: Peers;
  /** How long requests may go on over old connections. */
  readonly graceMs: number;
}

/**
 * Gives new credentials to everything that connects or is connected to. Before that it brings a new key into the
 * registry: otherwise the other devices would refuse this one.
 */
export function useNewCredentials(credentials: WatchedCredentials, sshKeys: WatchedSshKeys, users: Users): void {
  const { db, own, log, ways, gitPort, rpc, peers, graceMs } = users;
  credentials.mayTake = async (read) => {
    const key = certificateKey(read.tls.cert);
    if (key.fingerprint === own.key.fingerprint) return undefined;
    const standing = await enrollSelf(db, { ...own, key, candidate: true }, log);
    if (standing === "trusted") {
      await sleep(WAITS.keySpreadMs);
      return undefined;
    }
    return `The cluster does not trust the new key of the certificate (${standing}); say yes with \`lockstep device trust ${own.device}\`.`;
  };
  credentials.onChange(({ tls, authorities }) => {
    ways.tls.use(tls, graceMs);
    rpc.use(tls, graceMs);
    peers.renew(new Set(authorities.map(({ fingerprint256 }) => fingerprint256)), graceMs);
    gitPort?.use(tls);
  });
  sshKeys.mayTake = async (read) => {
    const [refused] = await enrollSshKeys(db, { ...own, sshKeys: read }, log);
    if (refused !== undefined)
      return `The cluster does not trust the new ssh key ${refused.fingerprint}; say yes with \`lockstep device trust ${own.device}\`.`;
    await sleep(WAITS.keySpreadMs);
    return undefined;
  };
  sshKeys.onChange(() => ways.ssh?.renew(graceMs));
}
