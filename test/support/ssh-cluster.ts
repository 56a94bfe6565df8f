// Three devices that ask each other over ssh: a real sshd on loopback for each, with the configuration of
// docs/integration.md, and no git port.
import { mkdtemp } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { dirname, join } from "node:path";
import { type Cluster, startCluster } from "./cluster.ts";
import { type Device, PROGRAM } from "./cluster-device.ts";
import { documented } from "./documented.ts";
import { type Daemon, listen, makeKey } from "./sshd.ts";

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
  const { username } = userInfo();
  const block = await documented("sshd_config", {
    "/usr/local/bin/lockstep-git": join(dirname(PROGRAM), "native", "lockstep-git"),
    "/run/lockstep": dirname(device.demo.socket),
    "Match User git": `Match User ${username}`,
    "AuthorizedKeysCommandUser git": `AuthorizedKeysCommandUser ${username}`,
  });
  return await listen(program, dir, `AuthorizedKeysFile ${join(dir, "authorized_keys")}\n${block}`);
}
