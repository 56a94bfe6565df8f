// Devices with both ways to each other: https where the git port is reached, and ssh, with real sshds, where it is not.
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Device } from "../support/cluster-device.ts";
import { findProgram } from "../support/programs.ts";
import { type Pusher, pusher } from "../support/pusher.ts";
import { type SshCluster, startSshCluster, whyNoSshCluster } from "../support/ssh-cluster.ts";

const sshd = findProgram("sshd", "openssh-server");
const ssh = findProgram("ssh", "openssh-client");
const missing = [
  ...[sshd, ssh].flatMap((found) => ("missing" in found ? [found.missing] : [])),
  ...[whyNoSshCluster() ?? []].flat(),
];
if (missing.length > 0) console.warn(`The tests with --peer-transport auto are skipped: ${missing.join("; ")}.`);

describe.skipIf(missing.length > 0)("--peer-transport auto", () => {
  let site: SshCluster;
  let one: Device;
  let two: Device;
  let ada: Pusher;
  beforeAll(async () => {
    site = await startSshCluster((sshd as { path: string }).path, "auto");
    [one, two] = site.devices as [Device, Device];
    ada = await pusher(site.cluster.git, "ada");
  });
  afterAll(async () => await site?.[Symbol.asyncDispose]());

  /** How often the sshd of a device has let somebody in. */
  const logins = async (index: number) =>
    (await readFile(join(dirname(site.doors[index]!.hostKey), "log"), "utf8")).split("Accepted publickey").length - 1;
  /** Pushes to the first device, and returns what the second one has after a read. */
  async function pushAndRead(): Promise<{ pushed: string; read: string | undefined }> {
    const repository = await site.cluster.createRepository();
    const pushed = await ada.commit();
    await ada.land(one.url(repository), `+${pushed}:refs/heads/main`);
    const refs = await site.cluster.git.git(["ls-remote", two.url(repository), "refs/heads/main"]);
    return { pushed, read: refs.split("\t")[0] };
  }

  it("asks over https while the git port is reached", async () => {
    const { pushed, read } = await pushAndRead();
    expect(read).toBe(pushed);
    expect(await logins(0)).toBe(0);
  });

  it("falls back to ssh where the git port is not reached, for reads and for copies", async () => {
    await one.kill();
    // Nothing listens there.
    await one.start({ ...site.settings[0], LOCKSTEP_ADVERTISE: "127.0.0.2" });
    const { pushed, read } = await pushAndRead();
    expect(read).toBe(pushed);
    expect(await logins(0)).toBeGreaterThan(0);
    // With three copies a push to the second device lands only when the first one has taken its objects.
    const repository = await site.cluster.createRepository(3);
    const tip = await ada.commit();
    await ada.land(two.url(repository), `+${tip}:refs/heads/main`);
    expect(await site.cluster.git.git(["ls-remote", one.url(repository), "refs/heads/main"])).toContain(tip);
  });
});
