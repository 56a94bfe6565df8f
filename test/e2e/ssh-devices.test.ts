// Devices that ask each other over ssh only: a real sshd for each, and no git port anywhere.
import { once } from "node:events";
import { readFile, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { administer } from "../support/administer.ts";
import { type Device, ended, PATIENCE, PROGRAM } from "../support/cluster-device.ts";
import type { RunResult } from "../support/git.ts";
import { findProgram } from "../support/programs.ts";
import { type Pusher, pusher } from "../support/pusher.ts";
import { SOON } from "../support/soon.ts";
import { type SshCluster, startSshCluster, whyNoSshCluster } from "../support/ssh-cluster.ts";
import { makeKey } from "../support/sshd.ts";

const sshd = findProgram("sshd", "openssh-server");
const ssh = findProgram("ssh", "openssh-client");
const missing = [
  ...[sshd, ssh].flatMap((found) => ("missing" in found ? [found.missing] : [])),
  ...[whyNoSshCluster() ?? []].flat(),
];
if (missing.length > 0) console.warn(`The tests with ssh between devices are skipped: ${missing.join("; ")}.`);

describe.skipIf(missing.length > 0)("a cluster with ssh between devices and no git port", () => {
  let site: SshCluster;
  let one: Device;
  let two: Device;
  let three: Device;
  let ada: Pusher;
  beforeAll(async () => {
    site = await startSshCluster((sshd as { path: string }).path);
    [one, two, three] = site.devices as [Device, Device, Device];
    ada = await pusher(site.cluster.git, "ada");
  });
  afterAll(async () => await site?.[Symbol.asyncDispose]());

  const connect = async (from: Device, ...args: string[]) =>
    await ended(from.command(["ssh-connect", ...args], { LOCKSTEP_AS_DEVICE: "1" }));
  /** git on a device, as the device. */
  const git = async (from: Device, args: string[], env: Record<string, string> = {}): Promise<RunResult> =>
    await site.cluster.git.run(args, {
      env: {
        GIT_SSH_COMMAND: `${process.execPath} ${PROGRAM} ssh-connect`,
        LOCKSTEP_AS_DEVICE: "1",
        LOCKSTEP_SOCKET_DIR: dirname(from.demo.socket),
        ...env,
      },
    });
  const tipOf = async (device: Device, repository: string): Promise<string> =>
    (await site.cluster.git.git(["ls-remote", device.url(repository), "refs/heads/main"])).split("\t")[0] ?? "";
  const fromDevices = async (repository: string): Promise<string[]> =>
    await administer(site.cluster.databaseUrl, async (client) => {
      const { rows } = await client.query(
        "select e.from_device from lockstep.sync_event e join lockstep.repository r on r.id = e.repository_id where r.name = $1 and e.bytes > 0",
        [repository],
      );
      return rows.map(({ from_device }) => from_device as string);
    });

  it("has no git port, and every device knows how the others are reached", async () => {
    for (const device of site.devices) {
      const { document } = await device.lockstep("device", "show", "repo002");
      expect(document).toMatchObject({ git: "", ssh: expect.stringMatching(/@127\.0\.0\.1:\d+$/) });
      const kinds = document.keys.map(({ kind, state }: { kind: string; state: string }) => `${state} ${kind}`);
      expect(kinds.sort()).toEqual(["trusted ssh", "trusted ssh-host", "trusted x509"]);
      await expect(fetch(device.demo.git.replace("https", "http"))).rejects.toThrow();
    }
  });

  it("makes first copies and catches up after pushes", async () => {
    const repository = await site.cluster.createRepository();
    const first = await ada.commit();
    await ada.land(one.url(repository), `+${first}:refs/heads/main`);
    expect(await tipOf(two, repository)).toBe(first);
    expect(await tipOf(three, repository)).toBe(first);
    const second = await ada.commit();
    await ada.land(two.url(repository), `+${second}:refs/heads/main`);
    expect(await tipOf(one, repository)).toBe(second);
    expect(await tipOf(three, repository)).toBe(second);
    expect((await fromDevices(repository)).length).toBeGreaterThanOrEqual(4);
  });

  /** What the doctor of the second device says of ssh. */
  const doctor = async () => {
    const env = { ...two.demo.env, ...site.settings[1] };
    const { stdout } = await ended(two.command(["doctor", "--json"], env));
    return JSON.parse(stdout).checks.find(({ check }: { check: string }) => check === "ssh");
  };

  it("has a doctor that comes to the other devices over ssh", async () => {
    expect(await doctor()).toEqual({
      check: "ssh",
      state: "ok",
      said: expect.stringMatching(/^the key SHA256:\S+; reached repo001, repo003$/),
    });
  });

  it("puts a write on two devices before it lands where the rule says so", async () => {
    const repository = await site.cluster.createRepository(2);
    const tip = await ada.commit();
    await ada.land(three.url(repository), `+${tip}:refs/heads/main`);
    // The bump has recorded which devices hold the objects.
    const holders = await administer(site.cluster.databaseUrl, async (client) => {
      const { rows } = await client.query(
        "select l.holders from lockstep.ref_log l join lockstep.repository r on r.id = l.repository_id where r.name = $1",
        [repository],
      );
      return rows[0]?.holders as string[];
    });
    expect(holders.filter((name) => name !== "repo003").length).toBeGreaterThanOrEqual(1);
    expect(await tipOf(one, repository)).toBe(tip);
  });

  it("refuses a repository whose place is taken on another device, which it asks over ssh", async () => {
    await site.cluster.git.git(["init", "--quiet", "--bare", join(two.demo.root, "taken.git")]);
    const { code, stderr } = await one.print("repo", "create", "taken");
    expect(code).not.toBe(0);
    expect(stderr).toContain("repo002");
  });

  it("serves stock git that comes as a device, by name and by address, and never takes its push", async () => {
    const repository = await site.cluster.createRepository();
    const tip = await ada.commit();
    await ada.land(one.url(repository), `+${tip}:refs/heads/main`);
    for (const url of [`ssh://repo001/${repository}.git`, `ssh://${site.doors[0]!.address}/${repository}.git`]) {
      for (const version of ["0", "2"])
        expect(await git(two, ["-c", `protocol.version=${version}`, "ls-remote", url])).toMatchObject({
          code: 0,
          stdout: expect.stringContaining(tip),
        });
    }
    const into = join(site.cluster.git.dir, "as-device");
    expect(await git(two, ["clone", "--quiet", `ssh://repo001/${repository}.git`, into])).toMatchObject({ code: 0 });
    const more = await site.cluster.git.git(["commit-tree", "-p", tip, "-m", "more", `${tip}^{tree}`], { cwd: into });
    const pushed = await git(two, ["-C", into, "push", "origin", `${more}:refs/heads/other`]);
    expect(pushed.code).not.toBe(0);
    expect(pushed.stderr).toContain("A device pushes nothing");
    const byId = await git(three, ["-C", into, "fetch", "origin", "12".repeat(20)]);
    expect(byId.code).not.toBe(0);
    expect(byId.stderr).toContain("No ref has the object 1212");
  });

  it("says who a device is when it comes without a command, and refuses what is no git", async () => {
    expect(await connect(two, "repo001")).toMatchObject({
      code: 0,
      stderr: expect.stringContaining("You are logged in as device repo002 on device repo001."),
    });
    const refused = await connect(two, "repo001", "cat /etc/passwd");
    expect(refused).toMatchObject({ code: 1, stdout: "" });
    expect(refused.stderr).toContain("refuses: cat /etc/passwd");
  });

  it("gives a device only repositories that it holds or should hold", async () => {
    const repository = "team/not-on-two";
    expect((await one.print("repo", "create", repository, "--devices", "repo001,repo003")).stderr).toBe("");
    const refused = await git(two, ["ls-remote", `ssh://repo001/${repository}.git`]);
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toContain("Device repo002 does not hold this repository");
    expect(await git(three, ["ls-remote", `ssh://repo001/${repository}.git`])).toMatchObject({ code: 0 });
    const { entries } = (await one.lockstep("audit")).document;
    expect(JSON.stringify(entries)).toContain("Device repo002 does not hold this repository");
  });

  it("uses the key of the device only for who says so, and never beside a credential of a user", async () => {
    const bare = await ended(two.command(["ssh-connect", "repo001"]));
    expect(bare).toMatchObject({ code: 1, stderr: expect.stringContaining("set LOCKSTEP_AS_DEVICE=1") });
    const beside = await ended(
      two.command(["ssh-connect", "repo001"], { LOCKSTEP_AS_DEVICE: "1", SSH_AUTH_SOCK: "/x" }),
    );
    expect(beside).toMatchObject({ code: 1, stderr: expect.stringContaining("unset SSH_AUTH_SOCK") });
    expect(await connect(two, "-i", "/x", "repo001")).toMatchObject({ code: 1, stderr: expect.stringContaining("-i") });
  });

  it("gives a user's key no rights of a device", async () => {
    // The key of a person in authorized_keys, with the forced command for people.
    const key = join(site.cluster.dir, "person");
    const line = await makeKey(key);
    const shell = join(one.demo.root, ".lockstep", "bin", "lockstep-git");
    const file = join(dirname(site.doors[0]!.hostKey), "authorized_keys");
    await writeFile(file, `restrict,command="${shell} lockstep-shell" ssh-ed25519 ${line}\n`);
    const run = async (command: string) =>
      await site.cluster.git.run(["-c", `alias.door=!$GIT_SSH_COMMAND ${site.doors[0]!.host} ${command}`, "door"], {
        env: site.doors[0]!.env(key),
      });
    for (const command of ["lockstep-peer", "'lockstep-shell --device repo002 --key x'"]) {
      const refused = await run(command);
      expect(refused.code).not.toBe(0);
      expect(refused.stderr).toContain("serves git clone, git fetch and git push only, and refuses");
    }
  });

  it("prints the lines of all devices, and for sshd that of one key", async () => {
    const { document } = await one.lockstep("device", "authorized-keys");
    expect(document.lines).toHaveLength(3);
    const [type = "", key = ""] = (await readFile(`${site.keyOf(two)}.pub`, "utf8")).split(" ");
    const { stdout } = await one.print("device", "authorized-keys", type, key);
    expect(stdout).toMatch(/^restrict,command="\S+ lockstep-shell --device repo002 --key SHA256:\S+" ssh-ed25519 /);
    const [, hostKey = ""] = (await readFile(site.doors[0]!.hostKey, "utf8")).split(" ");
    expect((await one.print("device", "authorized-keys", type, hostKey)).stdout).toBe("");
  });

  it("refuses a host key that the registry does not have, with a sentence", async () => {
    const other = join(site.cluster.dir, "other-host-key");
    await makeKey(other);
    const { keys } = (await one.lockstep("device", "show", "repo001")).document;
    const right = keys.find(({ kind }: { kind: string }) => kind === "ssh-host").fingerprint;
    await one.print("device", "trust", "repo001", "--ssh-host-key", `${other}.pub`);
    await one.print("device", "revoke", "repo001", "--key", right, "--reason", "test", "--yes");
    await vi.waitFor(async () => {
      const refused = await connect(two, "repo001");
      expect(refused.code).not.toBe(0);
      expect(refused.stderr).toContain("has not shown a host key that the registry has for device repo001");
    }, SOON);
    expect(await doctor()).toEqual({
      check: "ssh",
      state: "warning",
      said: expect.stringMatching(/^1 of 2 devices are not reached over ssh: the sshd there has not shown a host key/),
    });
    const repository = await site.cluster.createRepository();
    const tip = await ada.commit();
    await ada.land(one.url(repository), `+${tip}:refs/heads/main`);
    expect((await two.print("sync", repository)).stderr).toContain("device trust repo001 --ssh-host-key");
    await one.print("device", "trust", "repo001", "--ssh-host-key", site.doors[0]!.hostKey);
    await vi.waitFor(async () => expect(await tipOf(two, repository)).toBe(tip), SOON);
  });

  it("uses a new ssh key without a restart; one that does not fit is refused with a sentence, and the old one stays", async () => {
    const file = site.keyOf(two);
    const logged = async (words: RegExp) =>
      await vi.waitFor(async () => expect(await readFile(two.logFile, "utf8")).toMatch(words), SOON);
    const isTwo = { code: 0, stderr: expect.stringContaining("You are logged in as device repo002") };
    await writeFile(`${file}.bad`, "no key", { mode: 0o600 });
    await rename(`${file}.bad`, file);
    await logged(/is no private key that this user .* Until then the sidecar goes on with the old ssh keys\./);
    expect((await two.lockstep("status")).document.warnings).toEqual([expect.stringContaining("of --ssh-key is no")]);
    expect(await connect(two, "repo001")).toMatchObject(isTwo);

    const keys = async (state: string): Promise<string[]> =>
      (await two.lockstep("device", "show", "repo002")).document.keys
        .filter((key: { kind: string; state: string }) => key.kind === "ssh" && key.state === state)
        .map((key: { fingerprint: string }) => key.fingerprint);
    const [old = ""] = await keys("trusted");
    await makeKey(`${file}.next`);
    await rename(`${file}.next`, file);
    await logged(/uses new ssh keys/);
    expect(await keys("trusted")).toHaveLength(2);
    expect((await two.lockstep("status")).document.warnings).toEqual([]);
    await two.print("device", "revoke", "repo002", "--key", old, "--reason", "test", "--yes");
    await vi.waitFor(async () => expect(await keys("revoked")).toContain(old), SOON);
    // Whatever still used the old key would be refused from now on.
    expect(await connect(two, "repo001")).toMatchObject(isTwo);
    const repository = await site.cluster.createRepository();
    const tip = await ada.commit();
    await ada.land(one.url(repository), `+${tip}:refs/heads/main`);
    expect(await tipOf(two, repository)).toBe(tip);
  });

  it("ends the fetches of a device that is revoked, and lets it in again after a yes", async () => {
    const repository = await site.cluster.createRepository();
    const tip = await ada.commit();
    await ada.land(one.url(repository), `+${tip}:refs/heads/main`);
    // A dialogue of upload-pack that stays open.
    const open = three.command(["ssh-connect", "repo001", `git-upload-pack '${repository}.git'`], {
      LOCKSTEP_AS_DEVICE: "1",
    });
    await once(open.stdout!, "data");
    open.stdout!.resume();
    const over = once(open, "close");
    await one.print("device", "revoke", "repo003", "--reason", "test", "--yes");
    await over;
    await vi.waitFor(async () => {
      const refused = await connect(three, "repo001");
      expect(refused.code).not.toBe(0);
    }, SOON);
    await one.print("device", "trust", "repo003");
    await vi.waitFor(async () => {
      expect(await connect(three, "repo001")).toMatchObject({ code: 0 });
      const { version, headVersion } = await three.call("GetVersion", { repository }, PATIENCE);
      expect(version).toBe(headVersion);
    }, SOON);
  });
});
