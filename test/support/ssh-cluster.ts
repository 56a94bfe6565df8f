// Three devices that ask each other over ssh: a real sshd on loopback for each, with the configuration of
// docs/integration.md, and no git port.
import { existsSync } from "node:fs";
import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { arch, tmpdir, userInfo } from "node:os";
import { dirname, join } from "node:path";
import { type Cluster, startCluster } from "./cluster.ts";
import { type Device, PROGRAM } from "./cluster-device.ts";
import { documented } from "./documented.ts";
import { type Daemon, listen, makeKey } from "./sshd.ts";

const NATIVE = join(dirname(PROGRAM), "native", arch(), "lockstep-git");

/** Returns why this machine cannot have such a cluster; undefined if it can. */
export function whyNoSshCluster(): string | undefined {
  if (!existsSync(NATIVE)) return "the native program was not built, and sshd starts no other";
  if (process.getuid?.() !== 0) return "sshd asks only a program of root for keys, and this user is not root";
  return undefined;
}

export interface SshCluster extends AsyncDisposable {
  readonly cluster: Cluster;
  readonly devices: readonly Device[];
  /** The sshd of each device. */
  readonly doors: readonly Daemon[];
  /** The settings of each device for ssh, as variables. */
  readonly settings: readonly Readonly<Record<string, string>>[];
  /** The file of the private key of a device. */
  keyOf(device: Device): string;
}

/** Starts the devices with `transport`. */
export async function startSshCluster(program: string, transport: "ssh" | "auto" = "ssh"): Promise<SshCluster> {
  const cluster = await startCluster();
  const { devices } = cluster;
  const doors: Daemon[] = [];
  const settings: Record<string, string>[] = [];
  const keyOf = (device: Device) => join(dirname(device.demo.root), "ssh_key");
  const stop = async () => {
    await cluster[Symbol.asyncDispose]();
    for (const door of doors) await door.stop();
  };
  try {
    for (const device of devices) {
      await makeKey(keyOf(device));
      const door = await openDoor(program, device);
      doors.push(door);
      const own = {
        LOCKSTEP_PEER_TRANSPORT: transport,
        LOCKSTEP_SSH_KEY: keyOf(device),
        LOCKSTEP_SSH_HOST_KEY: door.hostKey,
        LOCKSTEP_SSH_ADVERTISE: door.address,
      };
      settings.push(own);
    }
    for (const [index, device] of devices.entries()) {
      await device.kill();
      await device.start(settings[index]);
    }
  } catch (error) {
    await stop();
    throw error;
  }
  return { cluster, devices, doors, settings, keyOf, [Symbol.asyncDispose]: stop };
}

/** Starts the sshd of a device. */
async function openDoor(program: string, device: Device): Promise<Daemon> {
  const dir = await mkdtemp(join(tmpdir(), "ls-door-"));
  // sshd asks only a program for keys whose directories nobody else may write. /tmp is no such place.
  const safe = await mkdtemp("/run/ls-door-");
  const command = join(safe, "lockstep-git");
  await copyFile(NATIVE, command);
  const { username } = userInfo();
  const block = await documented("sshd_config", {
    "/usr/local/bin/lockstep-git": command,
    "/run/lockstep": dirname(device.demo.socket),
    "Match User git": `Match User ${username}`,
    "AuthorizedKeysCommandUser git": `AuthorizedKeysCommandUser ${username}`,
  });
  const daemon = await listen(program, dir, `AuthorizedKeysFile ${join(dir, "authorized_keys")}\n${block}`);
  const stop = async () => {
    await daemon.stop();
    await rm(safe, { recursive: true });
  };
  return { ...daemon, stop };
}
