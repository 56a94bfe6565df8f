// Checks ssh between devices: the key files of this device, and what the registry says of them. Comes to the sshd of
// each other device, which must show a host key of the registry and let this device in.
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe } from "../errors.ts";
import type { Config } from "../settings/config.ts";
import { required } from "../settings/read-config.ts";
import { HostKeyFiles } from "../ssh/host-keys.ts";
import { type OwnSshKeys, readDeviceKey, readHostKey } from "../ssh/key-files.ts";
import { parseSshAddress, sshArguments } from "../ssh/options.ts";
import { keyLine, parsePublicKey } from "../ssh/public-key.ts";
import { whyItFailed } from "../ssh/said.ts";
import { Database } from "../store/database/database.ts";
import { type Device, listDevices } from "../store/device/devices.ts";
import { type RegistryContent, readRegistry } from "../store/registry/registry.ts";
import type { Look, Verdict } from "./finding.ts";

const PATIENCE_MS = 15_000;
/** In a large cluster some are enough to see whether this device is let in. */
const ASKED = 16;
const SHOWN = 3;

type Keys = RegistryContent["keys"];

export const lookAtSsh: Look = async (config, { env }) => {
  const transport = required(config, "peer-transport");
  const { "ssh-key": keyFile, "ssh-host-key": hostKeyFile, "ssh-advertise": address } = config;
  if (transport === "https") return "not used, since --peer-transport is https";
  if (transport === "ssh" && (keyFile === undefined || address === undefined))
    return {
      missing: `--peer-transport ssh needs --ssh-key and --ssh-advertise; give --${keyFile === undefined ? "ssh-key" : "ssh-advertise"} too.`,
    };
  if (keyFile === undefined) return "no --ssh-key, so other devices are asked over https only";
  const path = env.PATH ?? "/usr/bin:/bin";
  const own = {
    ssh: (await readDeviceKey(keyFile, path)).key,
    "ssh-host": hostKeyFile === undefined ? undefined : await readHostKey(hostKeyFile),
  };
  if (address !== undefined && hostKeyFile === undefined)
    return {
      warning: `Others come to the sshd at ${address} and accept no host key of it; give its public part with --ssh-host-key.`,
    };
  const known = await askDatabase(config);
  if (typeof known === "string")
    return `the key ${own.ssh.fingerprint}; of the other devices nothing is known (${known})`;
  const standing = judgeOwnKeys(own, known.keys, required(config, "device"));
  return standing ?? (await lookAtOthers(known, { keyFile, path, fingerprint: own.ssh.fingerprint }));
};

interface Known {
  readonly keys: Keys;
  /** The other devices with an sshd. */
  readonly others: readonly Device[];
}

/** Returns why the database says nothing: it does not answer, which another check reports, or has no schema yet. */
async function askDatabase({ device, "database-url": url }: Config): Promise<Known | string> {
  if (url === undefined) return "no database was named";
  await using db = new Database({ url, applicationName: `${device} doctor` });
  try {
    const [{ keys }, devices] = [await readRegistry(db), await listDevices(db)];
    return { keys, others: devices.filter(({ name, sshAddress }) => name !== device && sshAddress !== "") };
  } catch (error) {
    return describe(error);
  }
}

/** Returns the fault of this device's keys in the registry. undefined: they are trusted, or `serve` will bring them. */
export function judgeOwnKeys(own: OwnSshKeys, keys: Keys, device: string): Verdict | undefined {
  const ofDevice = keys.filter(({ role, name }) => role === "device" && name === device);
  for (const kind of ["ssh", "ssh-host"] as const) {
    const { fingerprint } = own[kind] ?? {};
    if (fingerprint === undefined) continue;
    const what = `The ${kind === "ssh" ? "ssh key" : "host key"} ${fingerprint} of device ${device}`;
    const ofKind = ofDevice.filter((each) => each.kind === kind);
    const found = ofKind.find((each) => each.fingerprint === fingerprint);
    if (found?.state === "revoked")
      return {
        missing: `${what} is revoked; make another one, or say yes to it with \`lockstep device trust ${device}\`.`,
      };
    // The first key of a kind is trusted when serve brings it.
    if (found === undefined && ofKind.length > 0)
      return {
        warning: `${what} is not in the registry, which has another one; start serve with it, or say yes with \`lockstep device trust ${device}\`.`,
      };
  }
  return undefined;
}

interface Self {
  readonly keyFile: string;
  readonly path: string;
  readonly fingerprint: string;
}

async function lookAtOthers({ keys, others }: Known, self: Self): Promise<Verdict> {
  const asked = others.slice(0, ASKED);
  const directory = await mkdtemp(join(tmpdir(), "lockstep-doctor-"));
  try {
    const files = new HostKeyFiles(directory);
    const whys = await Promise.all(asked.map((device) => whyNotReached(device, keys, files, self)));
    const failed = whys.filter((why) => why !== undefined);
    const reached = asked.flatMap(({ name }, index) => (whys[index] === undefined ? [name] : []));
    const more = failed.length > SHOWN ? " and more" : "";
    if (failed.length > 0)
      return {
        warning: `${failed.length} of ${asked.length} devices are not reached over ssh: ${failed.slice(0, SHOWN).join("; ")}${more}.`,
      };
    return `the key ${self.fingerprint}; ${reached.length === 0 ? "no other device has --ssh-advertise" : `reached ${reached.join(", ")}`}`;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Returns why this device does not come to the other one over ssh, with a remedy. undefined: it does. */
async function whyNotReached(
  { name: device, sshAddress, sshUser }: Device,
  keys: Keys,
  files: HostKeyFiles,
  { keyFile, path }: Self,
): Promise<string | undefined> {
  const hostKeys = keys
    .filter(
      ({ role, name, kind, state }) =>
        role === "device" && name === device && kind === "ssh-host" && state === "trusted",
    )
    .flatMap(({ publicKey }) => parsePublicKey(publicKey ?? "") ?? [])
    .map(keyLine);
  if (hostKeys.length === 0)
    return `the registry has no host key of the sshd of device ${device}; give its sidecar --ssh-host-key`;
  const hostKeysFile = await files.file(device, hostKeys);
  const target = { device, ...parseSshAddress(`${sshUser}@${sshAddress}`), keyFile, hostKeysFile };
  const options = { env: { PATH: path, LC_ALL: "C" }, timeout: PATIENCE_MS };
  const { code, said } = await new Promise<{ code: number | null; said: string }>((resolve) => {
    // Without a command the other side says who this device is.
    const child = execFile("ssh", sshArguments(target), options, (error, _, stderr) => {
      const failed = error as NodeJS.ErrnoException | null;
      resolve(
        failed?.code === "ENOENT"
          ? { code: 1, said: "ssh is not installed here" }
          : { code: child.exitCode, said: stderr },
      );
    });
    child.stdin?.end();
  });
  return whyItFailed(said, device, code);
}
