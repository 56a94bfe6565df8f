import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Site, seesClient, shims } from "../support/shim-site.ts";

describe.each(shims)("the $name shim in the place of git's programs", (shim) => {
  const quoted = (name: string) => [...shim.command, name].map((word) => `'${word}'`).join(" ");

  it("asks before a read, and then is git upload-pack on the path it is told", async () => {
    await using site = await Site.create(shim);
    site.git(site.repository, "fetch", "--quiet", site.clone, "HEAD:refs/heads/main");
    await using sidecar = await site.sidecar((peer) => {
      expect(peer.hello.get("op")).toBe("upload-pack");
      expect(peer.hello.get("dir")).toBe("/team/app");
      peer.send("P", site.repository);
      peer.exit(0);
    });
    const { code, stdout } = await site.run([
      "git",
      "-c",
      "protocol.version=2",
      "ls-remote",
      `--upload-pack=${quoted("lockstep-upload-pack")}`,
      "file:///team/app",
      "refs/*",
    ]);
    await sidecar.served();
    expect(stdout).toBe(`${site.head()}\trefs/heads/main\n`);
    expect(code).toBe(0);
  });

  it("asks before a push, and then is git receive-pack", async () => {
    await using site = await Site.create(shim);
    const operations: unknown[] = [];
    await using sidecar = await site.sidecar(async (peer) => {
      operations.push(peer.hello.get("op"));
      if (peer.hello.get("op") === "receive-pack") {
        peer.send("P", site.repository);
        return peer.exit(0);
      }
      await peer.readPush();
      peer.report(["ok refs/heads/main"]);
      peer.exit(0);
    });
    const { code } = await site.push(`--receive-pack=${quoted("lockstep-receive-pack")}`);
    await sidecar.served();
    expect(operations).toEqual(["receive-pack", "proc-receive"]);
    expect(code).toBe(0);
  });

  it("hands the limits of a push to its hooks, also that of the memory of each git", async () => {
    await using site = await Site.create(shim);
    await using sidecar = await site.sidecar(async (peer) => {
      if (peer.hello.get("op") === "receive-pack") peer.send("P", site.repository);
      else {
        await peer.readPush();
        peer.report(["ok refs/heads/main"]);
      }
      peer.exit(0);
    });
    await site.script(
      join(site.repository, "hooks", "pre-receive"),
      `echo $LOCKSTEP_PUSH_REFS $GIT_ALLOC_LIMIT $(ulimit -d) $(git config core.bigFileThreshold) > '${site.dir}/limits'; cat > /dev/null`,
    );
    const limits = "LOCKSTEP_PUSH_REFS=7 LOCKSTEP_PUSH_OBJECT=8 LOCKSTEP_PUSH_MEMORY=900";
    await site.push(`--receive-pack=${limits} ${quoted("lockstep-receive-pack")}`);
    await sidecar.served();
    expect(readFileSync(join(site.dir, "limits"), "utf8")).toBe(`7 8m ${900 * 1_024} 1048576g\n`);
  });

  it("a client sees a refusal of the sidecar", async () => {
    await using site = await Site.create(shim);
    await using sidecar = await site.sidecar((peer) => {
      peer.send("E", "lockstep: this replica is behind\n");
      peer.exit(1);
    });
    const result = await site.act(["lockstep-upload-pack", site.repository]);
    await sidecar.served();
    expect(result).toEqual({ code: 1, stdout: "", stderr: "lockstep: this replica is behind\n" });
  });

  it.each([
    ["lockstep-upload-pack", "so nothing was read; try again."],
    ["lockstep-receive-pack", "so this push was refused and nothing has changed; push again."],
  ])("%s says so when the sidecar ends without an answer", async (name, consequence) => {
    await using site = await Site.create(shim);
    await using sidecar = await site.sidecar((peer) => void peer.socket.end());
    const { code, stderr } = await site.act([name, site.repository]);
    await sidecar.served();
    expect(code).toBe(1);
    expect(stderr).toBe(`lockstep: the sidecar ended the connection without an answer, ${consequence}\n`);
  });

  it.runIf(seesClient(shim))("ends when the client vanishes", async () => {
    await using site = await Site.create(shim);
    let types: string | undefined;
    await using sidecar = await site.sidecar(async (peer) => {
      types = await peer.ended();
    });
    await site.run(["sh", "-c", `${quoted("lockstep-upload-pack")} app | true`]);
    await sidecar.served();
    expect(types).toBe("");
  });

  it("the shim says so when there is no sidecar", async () => {
    await using site = await Site.create(shim);
    const { code, stderr } = await site.act(["lockstep-upload-pack", site.repository]);
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^lockstep: the sidecar of this server does not answer \(.*\), so nothing was read; start `lockstep serve` on/,
    );
  });

  it("serves git over ssh, with any characters in the path", async () => {
    await using site = await Site.create(shim);
    site.git(site.repository, "fetch", "--quiet", site.clone, "HEAD:refs/heads/main");
    await using sidecar = await site.sidecar((peer) => {
      expect(peer.hello.get("op")).toBe("upload-pack");
      peer.send("P", peer.hello.get("dir")!);
      peer.exit(0);
    });
    const ssh = await site.script(
      join(site.dir, "ssh"),
      `shift; SSH_ORIGINAL_COMMAND=$* exec ${quoted("lockstep-shell")}`,
    );
    const { code, stdout } = await site.run(["git", "ls-remote", `ssh://host${site.repository}`, "refs/*"], {
      GIT_SSH: ssh,
      GIT_SSH_VARIANT: "simple",
    });
    await sidecar.served();
    expect(stdout).toBe(`${site.head()}\trefs/heads/main\n`);
    expect(code).toBe(0);
  });

  it("as a login shell takes the command from -c, which goes before SSH_ORIGINAL_COMMAND", async () => {
    await using site = await Site.create(shim);
    await using sidecar = await site.sidecar((peer) => {
      expect(peer.hello.get("op")).toBe("receive-pack");
      expect(peer.hello.get("dir")).toBe("a b");
      peer.exit(5);
    });
    const { code } = await site.act(["lockstep-shell", "-c", "git receive-pack 'a b'"], {
      SSH_ORIGINAL_COMMAND: "git-upload-pack 'other'",
    });
    await sidecar.served();
    expect(code).toBe(5);
  });

  it("serves nothing else over ssh", async () => {
    await using site = await Site.create(shim);
    const commands = ["", "id", "sh -c 'id'", "git-upload-archive 'a'", "git  upload-pack 'a'", "git-upload-pack a"];
    const args = ["''", "'a' 'b'", "'a';id", "'a'\\''", "'a'\\;'b'", "'a", "--strict 'a'", "'a' "];
    for (const command of [...commands, ...args.map((arg) => `git-upload-pack ${arg}`)]) {
      const { code, stdout, stderr } = await site.act(["lockstep-shell"], { SSH_ORIGINAL_COMMAND: command });
      expect([command, code, stdout, stderr]).toEqual([
        command,
        1,
        "",
        `lockstep: this account serves git clone, git fetch and git push only, and refuses: ${command}\n`,
      ]);
    }
  });

  it("says that there is no shell", async () => {
    await using site = await Site.create(shim);
    const { code, stderr } = await site.act(["lockstep-shell"]);
    expect(code).toBe(1);
    expect(stderr).toBe("lockstep: this account serves git and has no shell; use it as the address of a git remote.\n");
  });
});
