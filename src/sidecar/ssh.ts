// ssh between devices, from this device's side: the ways to others, and the lines of authorized_keys.
import { join } from "node:path";
import { LockstepError } from "../errors.ts";
import { SshLine } from "../git/peers/peer-lines.ts";
import { STATE_DIR } from "../git/root/root-record.ts";
import { authorizedKey } from "../ssh/authorized-keys.ts";
import { HostKeyFiles } from "../ssh/host-keys.ts";
import { parseSshAddress, type SshTarget } from "../ssh/options.ts";
import { keyLine, parsePublicKey } from "../ssh/public-key.ts";
import type { Database } from "../store/database/database.ts";
import { listDevices } from "../store/device/devices.ts";
import type { SshAccess } from "../sync/device/context.ts";
import type { Registry } from "../sync/registry/registry.ts";
import { hostKeysOf } from "../sync/registry/ssh-trust.ts";

const SSH_PORT = 22;

export interface SshSideOptions {
  readonly db: Database;
  readonly registry: Registry;
  /** The file of this device's private key. undefined: it has none. */
  readonly keyFile: string | undefined;
  readonly root: string;
  readonly shim: string;
  /** Where ssh is looked for. */
  readonly path: string;
}

/** Returns what ssh needs on this device. `line` undefined: it has no ssh key. */
export function openSsh(options: SshSideOptions): { access: SshAccess; line: SshLine | undefined } {
  const { db, registry, keyFile, root, shim, path } = options;
  const files = new HostKeyFiles(join(root, STATE_DIR, "ssh"));
  const find = async (device: string, address: string): Promise<SshTarget> => {
    const hostKeys = hostKeysOf(registry, device);
    if (keyFile === undefined) throw noKeyError();
    if (hostKeys.length === 0) throw noHostKeyError(device);
    const hostKeysFile = await files.file(device, hostKeys);
    return { device, ...parseSshAddress(address), keyFile, hostKeysFile, hostKeys };
  };
  const refuses = ({ device, hostKeys }: SshTarget) => {
    const now = hostKeysOf(registry, device);
    return hostKeys.every((key) => now.includes(key)) ? undefined : noHostKeyError(device);
  };
  const access: SshAccess = {
    authorizedKeys: (key, shell) =>
      authorizedKeys(registry, key, shell === undefined ? [shim, "lockstep-shell"] : [shell]),
    way: async (host, port) => await wayTo(db, find, host, port),
  };
  return { access, line: keyFile === undefined ? undefined : new SshLine({ find, path }, refuses) };
}

function authorizedKeys(registry: Registry, wanted: string | undefined, shell: readonly string[]): string[] {
  const stale = registry.stalenessError();
  if (stale !== undefined) throw stale;
  const asked = wanted === undefined ? undefined : parsePublicKey(wanted);
  if (wanted !== undefined && asked === undefined)
    throw new LockstepError(
      "INVALID_REQUEST",
      "This is no public key of ssh; give its type and the key, as %t %k of sshd.",
    );
  return registry.sshKeys().flatMap(({ name: device, kind, state, fingerprint, publicKey }) => {
    const key = parsePublicKey(publicKey ?? "") ?? asked;
    if (kind !== "ssh" || state !== "trusted" || key?.fingerprint !== fingerprint) return [];
    if (asked !== undefined && asked.fingerprint !== fingerprint) return [];
    return [authorizedKey({ device, fingerprint, line: keyLine(key) }, shell)];
  });
}

async function wayTo(
  db: Database,
  find: (device: string, address: string) => Promise<SshTarget>,
  host: string,
  port: number | undefined,
): Promise<SshTarget> {
  const devices = (await listDevices(db)).filter(({ sshAddress }) => sshAddress !== "");
  const address = `${host.includes(":") ? `[${host}]` : host}:${port ?? SSH_PORT}`;
  const found = devices.find(({ name }) => name === host) ?? devices.find(({ sshAddress }) => sshAddress === address);
  if (found === undefined)
    throw new LockstepError(
      "DEVICE_NOT_FOUND",
      `No device is reached over ssh as ${host} or at ${address}; \`lockstep device list\` shows the names, and a device needs --ssh-advertise.`,
      { details: { device: host } },
    );
  return await find(found.name, `${found.sshUser}@${found.sshAddress}`);
}

function noKeyError(): LockstepError {
  return new LockstepError(
    "PREREQUISITE_MISSING",
    "This device has no ssh key, so it asks nobody over ssh; give its sidecar one with --ssh-key.",
  );
}

function noHostKeyError(device: string): LockstepError {
  return new LockstepError(
    "KEY_NOT_FOUND",
    `The registry has no trusted host key for the sshd of device ${device}; start its sidecar with --ssh-host-key, or use \`lockstep device trust ${device} --ssh-host-key FILE\`.`,
    { details: { device } },
  );
}
