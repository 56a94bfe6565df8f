import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Site, shims } from "../support/shim-site.ts";

function refNames(commands: readonly string[]): string[] {
  return commands.map((line) => line.split(" ")[2]!);
}

describe.each(shims)("the $name shim as proc-receive", (shim) => {
  it("hands the push to the sidecar, and its report to the pusher", async () => {
    await using site = await Site.create(shim);
    await using sidecar = await site.sidecar(async (peer) => {
      expect(Object.fromEntries(peer.hello)).toEqual({
        version: "1",
        op: "proc-receive",
        dir: site.repository,
        push: expect.stringMatching(/^[1-9]\d*-[1-9]\d*$/),
        "env.REMOTE_USER": "ann=a",
        "env.GIT_COMMITTER_NAME": "a",
        "env.GIT_COMMITTER_EMAIL": "a@example.com",
      });
      const push = await peer.readPush();
      expect(push).toEqual({
        capabilities: "",
        commands: [`${"0".repeat(40)} ${site.head()} refs/heads/main`],
        options: [],
      });
      site.land(push.commands);
      peer.report(["ok refs/heads/main"]);
      peer.exit(0);
      expect(await peer.ended()).toMatch(/^I?$/);
    });
    site.env.REMOTE_USER = "ann=a";
    const { code, stderr } = await site.push();
    await sidecar.served();
    expect(stderr).toContain("[new branch]");
    expect(stderr).not.toContain("remote:");
    expect(code).toBe(0);
    expect(site.refs()).toBe(`${site.head()} refs/heads/main`);
  });

  it("stamps the configuration that git reads there, once the sidecar has listed its files", async () => {
    await using site = await Site.create(shim);
    const stamp = async () => {
      let stamped: string | undefined;
      await using sidecar = await site.sidecar(async (peer) => {
        stamped = peer.hello.get("settings");
        peer.report(refNames((await peer.readPush()).commands).map((name) => `ng ${name} no`));
        peer.exit(0);
      });
      await site.push();
      await sidecar.served();
      return stamped;
    };
    expect(await stamp()).toBeUndefined();
    const config = join(site.repository, "config");
    const later = join(site.dir, "not yet\nthere");
    await writeFile(join(site.repository, "lockstep.watched"), `${config}\0${later}\0`);
    const stamps = [await stamp()];
    expect(await stamp()).toBe(stamps[0]);
    site.env.USER = "somebody else";
    expect(await stamp()).toBe(stamps[0]);
    const changes = [
      () => writeFile(later, ""),
      () => writeFile(config, `${readFileSync(config, "utf8")}# more\n`),
      () => void Object.assign(site.env, { GIT_CONFIG_GLOBAL: config }),
      () => void Object.assign(site.env, { XDG_CONFIG_HOME: site.dir }),
      () => writeFile(join(site.repository, "lockstep.watched"), `${config}\0`),
    ];
    for (const change of changes) {
      await change();
      stamps.push(await stamp());
    }
    for (const each of stamps) expect(each).toMatch(/^[0-9a-f]{16,64}$/);
    expect(new Set(stamps).size).toBe(stamps.length);
    await writeFile(join(site.repository, "lockstep.watched"), `${"x".repeat(40_000)}\0`);
    if (shim.name === "native") expect(await stamp()).toBeUndefined();
  });

  it("passes a refusal on with its reason", async () => {
    await using site = await Site.create(shim);
    await using sidecar = await site.sidecar(async (peer) => {
      await peer.readPush();
      peer.report(["ng refs/heads/main drained for a move"]);
      peer.exit(0);
    });
    const { code, stderr } = await site.push();
    await sidecar.served();
    expect(code).toBe(1);
    expect(stderr).toContain("[remote rejected] HEAD -> main (drained for a move)");
    expect(site.refs()).toBe("");
  });

  it("shows the pusher what the sidecar has to say", async () => {
    await using site = await Site.create(shim);
    await using sidecar = await site.sidecar(async (peer) => {
      const { commands } = await peer.readPush();
      peer.send("E", "waiting for repo002\n");
      peer.send("E", "still waiting\n".repeat(20_000));
      peer.report(refNames(commands).map((name) => `ok ${name}`));
      peer.exit(0);
    });
    const { code, stderr } = await site.push();
    await sidecar.served();
    expect(code).toBe(0);
    expect(stderr).toMatch(/^remote: waiting for repo002 *$/m);
    expect(stderr.match(/^remote: still waiting *$/gm)).toHaveLength(20_000);
  });

  it("runs the update hook as git would have, and answers its exit code", async () => {
    await using site = await Site.create(shim);
    const hook = await site.script(
      join(site.repository, "hooks", "update"),
      'echo "$# $1 $3 $GIT_DIR $(pwd -P) $(wc -c)"; exit 3',
    );
    await using sidecar = await site.sidecar(async (peer) => {
      const { commands } = await peer.readPush();
      const [before, after, name] = commands[0]!.split(" ");
      peer.send("U", `${hook}\0${name}\0${before}\0${after}\0`);
      expect((await peer.frame())?.payload.toString()).toBe("3");
      peer.send("U", `${join(site.dir, "missing")}\0`);
      expect((await peer.frame())?.payload.toString()).toMatch(/^12[67]$/);
      peer.report([`ng ${name} hook declined`]);
      peer.exit(0);
    });
    const { stderr } = await site.push();
    await sidecar.served();
    expect(stderr).toMatch(new RegExp(`^remote: 3 refs/heads/main ${site.head()} \\. ${site.repository} 0 *$`, "m"));
    expect(stderr).toMatch(/^remote: lockstep: the hook missing cannot be run: /m);
    expect(stderr).toContain("(hook declined)");
  });

  it("never gives a hook another ref name than the pushed one", async () => {
    await using site = await Site.create(shim);
    const hook = await site.script(join(site.dir, "hook"), `[ "$1" = "$(printf 'refs/heads/\\377')" ] || exit 9`);
    await using sidecar = await site.sidecar(async (peer) => {
      await peer.readPush();
      peer.send("U", Buffer.from(`${hook}\0refs/heads/\xff\0`, "latin1"));
      // Node cannot pass such a name on.
      expect((await peer.frame())?.payload.toString()).toBe(shim.name === "native" ? "0" : "126");
      peer.report(["ng refs/heads/main no"]);
      peer.exit(0);
    });
    await site.push();
    await sidecar.served();
  });

  it("shows push options and --atomic in the stream", async () => {
    await using site = await Site.create(shim);
    await using sidecar = await site.sidecar(async (peer) => {
      const push = await peer.readPush();
      expect(push.capabilities).toBe("atomic push-options");
      expect(push.options).toEqual(["ci.skip", "reviewer=bob"]);
      site.land(push.commands);
      peer.report(["ok refs/heads/main"]);
      peer.exit(0);
    });
    const { code } = await site.push("--atomic", "--push-option=ci.skip", "--push-option=reviewer=bob");
    await sidecar.served();
    expect(code).toBe(0);
  });

  it("passes a push of 20,000 refs", async () => {
    await using site = await Site.create(shim);
    const names = Array.from({ length: 20_000 }, (_, n) => `refs/heads/topic/with-a-name-of-some-length/${n}`);
    const id = site.head();
    const packed = `# pack-refs with: sorted\n${names
      .sort()
      .map((name) => `${id} ${name}\n`)
      .join("")}`;
    await writeFile(join(site.clone, ".git", "packed-refs"), packed);
    await using sidecar = await site.sidecar(async (peer) => {
      const { commands } = await peer.readPush();
      expect(refNames(commands)).toHaveLength(20_000);
      await writeFile(join(site.repository, "packed-refs"), packed);
      peer.report(refNames(commands).map((name) => `ok ${name}`));
      peer.exit(0);
    });
    const { code } = await site.run([
      "git",
      "push",
      "--quiet",
      site.repository,
      "refs/heads/topic/*:refs/heads/topic/*",
    ]);
    await sidecar.served();
    expect(code).toBe(0);
    expect(site.refs().split("\n")).toHaveLength(20_000);
  });

  it("finds the socket in the repository's configuration", async () => {
    await using site = await Site.create(shim);
    site.git(site.repository, "config", "lockstep.socketDir", site.dir);
    delete site.env.LOCKSTEP_SOCKET_DIR;
    await using sidecar = await site.sidecar(async (peer) => {
      await peer.readPush();
      peer.report(["ok refs/heads/main"]);
      peer.exit(0);
    });
    const { code } = await site.push();
    await sidecar.served();
    expect(code).toBe(0);
  });
});
