// OpenSSH's sshd as the front end, with the forced command of docs/integration.md.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { wholeLog } from "../support/at-rest.ts";
import type { Cluster } from "../support/cluster.ts";
import type { Device } from "../support/cluster-device.ts";
import type { RunResult } from "../support/git.ts";
import { type LaggingCluster, startLaggingCluster } from "../support/lag.ts";
import { findProgram } from "../support/programs.ts";
import type { Pusher } from "../support/pusher.ts";
import { hasNative } from "../support/shim-site.ts";
import { type Sshd, startSshd } from "../support/sshd.ts";

const sshd = findProgram("sshd", "openssh-server");
const ssh = findProgram("ssh", "openssh-client");
const missing = [sshd, ssh].flatMap((found) => ("missing" in found ? [found.missing] : []));
if (missing.length > 0) console.warn(`The tests with sshd are skipped: ${missing.join("; ")}.`);

describe.skipIf(missing.length > 0)("sshd with lockstep-shell as the forced command", () => {
  let lagging: LaggingCluster;
  let cluster: Cluster;
  let one: Device;
  let three: Device;
  let ada: Pusher;
  let door: Sshd;
  let repositories: readonly string[];
  beforeAll(async () => {
    lagging = await startLaggingCluster(3);
    ({ cluster, one, three, ada, repositories } = lagging);
    door = await startSshd((sshd as { path: string }).path, three);
  });
  afterAll(async () => {
    await door?.[Symbol.asyncDispose]();
    await lagging?.[Symbol.asyncDispose]();
  });

  const git = (args: string[], cwd = cluster.git.dir): Promise<RunResult> =>
    cluster.git.run(args, { cwd, env: { ...door.env } });
  /** What `ssh HOST COMMAND` does, by way of git's own idea of ssh. */
  const shell = (command: string): Promise<RunResult> =>
    cluster.git.run(["-c", `alias.door=!$GIT_SSH_COMMAND ${door.host} ${command}`, "door"], { env: { ...door.env } });

  it("clones the newest commit from a replica that lags", async () => {
    const repository = repositories[0]!;
    await lagging.expectNewest(repository, async (into) => {
      expect(await git(["clone", "--quiet", `${door.host}:${repository}.git`, into])).toMatchObject({ code: 0 });
    });
  });

  it("takes a push in the name of the key, by the whole path too, and others read it at once", async () => {
    const repository = repositories[1]!;
    const tip = await ada.commit();
    const url = `ssh://${door.host}${three.gitDir(repository)}`;
    expect(await git(["push", url, `${tip}:refs/heads/main`], ada.dir)).toMatchObject({ code: 0 });
    expect(await cluster.git.git(["ls-remote", one.url(repository), "refs/heads/main"])).toContain(tip);
    expect(await wholeLog(one, repository)).toMatchObject([{ author: "ada", device: "repo003" }]);
  });

  it("serves git and nothing else", async () => {
    const here = await shell("");
    expect(here.code).not.toBe(0);
    expect(here.stderr).toContain("this account serves git and has no shell");
    const elsewhere = await shell("cat /etc/passwd");
    expect(elsewhere.code).not.toBe(0);
    expect(elsewhere.stdout).toBe("");
    expect(elsewhere.stderr).toContain("serves git clone, git fetch and git push only, and refuses: cat /etc/passwd");
  });

  it.skipIf(!hasNative)("clients who clone the same commit share a pack", async () => {
    for (const into of ["first", "second"])
      expect(await git(["clone", "--quiet", "--bare", `${door.host}:${repositories[1]}.git`, into])).toMatchObject({
        code: 0,
      });
    const page = await (await fetch(`${three.demo.http}/metrics`)).text();
    expect(page).toMatch(/^lockstep_packs_total\{result="shared"\} 1$/m);
  });

  it("says on the terminal why a repository is not served", async () => {
    const unknown = await git(["ls-remote", `${door.host}:no/such.git`]);
    expect(unknown.code).toBe(128);
    expect(unknown.stderr).toMatch(/^lockstep: There is no repository no\/such/m);
    await three.kill();
    const away = await git(["ls-remote", `${door.host}:${repositories[2]}.git`]);
    expect(away.code).toBe(128);
    expect(away.stderr).toMatch(/^lockstep: the sidecar of this server does not answer .*start `lockstep serve`/m);
    await three.start();
    expect(await git(["ls-remote", `${door.host}:${repositories[2]}.git`])).toMatchObject({ code: 0 });
  });
});
