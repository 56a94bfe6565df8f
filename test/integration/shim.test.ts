import { spawn, spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { chmod, mkdir, mkdtemp, open, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { playSidecar, type ScriptedSidecar, type ShimPeer } from "../support/hook-frames.ts";

const root = join(import.meta.dirname, "..", "..");
const native = join(root, "dist", "native", "lockstep-git");
const node = [process.execPath, join(root, "dist", "shim", "main.js")];

const built = spawnSync(process.execPath, [join(root, "scripts", "build.mjs")], { encoding: "utf8" });
if (built.status !== 0) throw new Error(`the build failed:\n${built.stderr}`);
const hasNative = existsSync(native);
if (!hasNative) console.warn(`the native shim is not tested: ${built.stderr}`);

interface Shim {
  readonly name: string;
  /** The program and its first arguments; the name it is to act under follows. */
  readonly command: readonly string[];
}

const shims: Shim[] = [...(hasNative ? [{ name: "native", command: [native] }] : []), { name: "Node", command: node }];

interface Result {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface Running {
  readonly pid: number;
  readonly result: Promise<Result>;
}

/** A bare repository with the shim as its hook, and a clone with one commit to push. */
class Site {
  readonly shim: Shim;
  readonly dir: string;
  readonly repository: string;
  readonly clone: string;
  readonly env: Record<string, string>;
  readonly #groups = new Set<number>();

  private constructor(shim: Shim, dir: string) {
    this.shim = shim;
    this.dir = dir;
    this.repository = join(dir, "it's here!.git");
    this.clone = join(dir, "clone");
    this.env = {
      PATH: process.env.PATH ?? "",
      HOME: dir,
      LC_ALL: "C",
      GIT_CONFIG_NOSYSTEM: "1",
      GIT_AUTHOR_NAME: "a",
      GIT_AUTHOR_EMAIL: "a@example.com",
      GIT_COMMITTER_NAME: "a",
      GIT_COMMITTER_EMAIL: "a@example.com",
      LOCKSTEP_SOCKET_DIR: dir,
    };
  }

  static async create(shim: Shim): Promise<Site> {
    const site = new Site(shim, await realpath(await mkdtemp(join(tmpdir(), "shim-"))));
    site.git(site.dir, "init", "--quiet", "--bare", site.repository);
    site.git(site.repository, "config", "receive.procReceiveRefs", "refs/");
    site.git(site.repository, "config", "receive.advertisePushOptions", "true");
    site.git(site.dir, "init", "--quiet", site.clone);
    site.git(site.clone, "commit", "--quiet", "--allow-empty", "--message", "first");
    const hook = join(site.repository, "hooks", "proc-receive");
    if (shim.command.length === 1) await symlink(shim.command[0]!, hook);
    else await site.script(hook, `exec ${shim.command.map((word) => `'${word}'`).join(" ")} proc-receive`);
    return site;
  }

  async script(path: string, line: string): Promise<string> {
    await mkdir(join(path, ".."), { recursive: true });
    await writeFile(path, `#!/bin/sh\n${line}\n`);
    await chmod(path, 0o755);
    return path;
  }

  /** Runs git to its end in `cwd` and returns what it printed; throws when it fails. */
  git(cwd: string, ...args: string[]): string {
    const { status, stdout, stderr } = spawnSync("git", args, {
      cwd,
      env: this.env,
      encoding: "utf8",
      maxBuffer: 1 << 24,
    });
    if (status !== 0) throw new Error(`git ${args.join(" ")}: ${stderr}`);
    return stdout.trim();
  }

  start(command: readonly string[], env: Record<string, string> = {}): Running {
    const [program, ...args] = command as [string, ...string[]];
    const child = spawn(program, args, {
      cwd: this.clone,
      env: { ...this.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
      // A process group of its own, as a terminal would give it.
      detached: true,
    });
    this.#groups.add(child.pid!);
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (chunk) => (stdout += chunk));
    child.stderr.on("data", (chunk) => (stderr += chunk));
    const result = new Promise<Result>((resolve, reject) => {
      child.on("error", reject);
      child.on("close", (code) => {
        this.#groups.delete(child.pid!);
        resolve({ code, stdout, stderr });
      });
    });
    return { pid: child.pid!, result };
  }

  run(command: readonly string[], env: Record<string, string> = {}): Promise<Result> {
    return this.start(command, env).result;
  }

  /** The shim under one of its names. */
  act(args: readonly string[], env: Record<string, string> = {}): Promise<Result> {
    return this.run([...this.shim.command, ...args], env);
  }

  startPush(...args: string[]): Running {
    return this.start(["git", "push", ...args, this.repository, "HEAD:refs/heads/main"]);
  }

  push(...args: string[]): Promise<Result> {
    return this.startPush(...args).result;
  }

  sidecar(script: (peer: ShimPeer) => Promise<void> | void): Promise<ScriptedSidecar> {
    return playSidecar(join(this.dir, "hook.sock"), script);
  }

  /** Does what the commands say, as the sidecar does. */
  land(commands: readonly string[]): void {
    const lines = commands.map((line) => line.split(" ")).map(([, id, ref]) => `update ${ref} ${id}\n`);
    const done = spawnSync("git", ["update-ref", "--stdin"], {
      cwd: this.repository,
      env: this.env,
      input: lines.join(""),
    });
    if (done.status !== 0) throw new Error(done.stderr.toString());
  }

  refs(): string {
    return this.git(this.repository, "for-each-ref", "--format=%(objectname) %(refname)");
  }

  head(): string {
    return this.git(this.clone, "rev-parse", "HEAD");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const group of this.#groups) process.kill(-group, "SIGKILL");
    await rm(this.dir, { recursive: true, force: true });
  }
}

function processes(): { pid: number; parent: number }[] {
  if (!existsSync("/proc/self/stat")) {
    const lines = spawnSync("ps", ["-A", "-o", "pid=,ppid="], { encoding: "utf8" }).stdout.trim().split("\n");
    return lines
      .map((line) => line.trim().split(/\s+/).map(Number))
      .map(([pid, parent]) => ({ pid: pid!, parent: parent! }));
  }
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const fields = readFileSync(`/proc/${name}/stat`, "latin1")
          .replace(/^.*\) /s, "")
          .split(" ");
        return fields[0] === "Z" ? [] : [{ pid: Number(name), parent: Number(fields[1]) }];
      } catch {
        return [];
      }
    });
}

/** git push → (sh →) receive-pack → the two processes of the hook, each the only child of the one before. */
function chainBelow(pid: number): number[] {
  const child = processes().find(({ parent }) => parent === pid);
  return child === undefined ? [] : [child.pid, ...chainBelow(child.pid)];
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await delay(10);
}

function refNames(commands: readonly string[]): string[] {
  return commands.map((line) => line.split(" ")[2]!);
}

function expectHangUp({ code, stderr }: Result): void {
  expect(code).not.toBe(0);
  expect(stderr).toMatch(/hung up unexpectedly|unexpected disconnect/);
  expect(stderr).not.toMatch(/rejected|proc-receive/);
}

function seesClient({ name }: Shim): boolean {
  const sees = name === "native" && process.platform === "linux";
  if (!sees) console.warn(`the ${name} shim cannot see that a client has vanished: that is not tested`);
  return sees;
}

describe.each(shims)("the $name shim as proc-receive", (shim) => {
  it("hands the push to the sidecar, and its report to the pusher", async () => {
    await using site = await Site.create(shim);
    await using sidecar = await site.sidecar(async (peer) => {
      expect(Object.fromEntries(peer.hello)).toEqual({
        version: "1",
        op: "proc-receive",
        dir: site.repository,
        "env.REMOTE_USER": "ann=a",
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
    expect(stderr).toMatch(/^remote: lockstep: the hook .*missing cannot be run: /m);
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

  it("refuses the push with a sentence when there is no sidecar", async () => {
    await using site = await Site.create(shim);
    const { code, stderr } = await site.push();
    expect(code).toBe(1);
    expect(stderr.replace(/ +$/gm, "")).toMatch(
      /^remote: lockstep: the sidecar does not answer at \/.*\/hook\.sock \(no such file or directory\), so this push was refused and nothing has changed; start `lockstep serve` on this server and push again\.$/im,
    );
    expect(stderr).toContain("[remote rejected]");
  });

  it("refuses the push with a sentence when the path of the socket is too long", async () => {
    await using site = await Site.create(shim);
    site.env.LOCKSTEP_SOCKET_DIR = `/${"d".repeat(120)}`;
    const { code, stderr } = await site.push();
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /has 131 bytes and a unix socket takes \d+, so this push was refused and nothing has changed/,
    );
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

  it.each([
    ["before it answers", ""],
    ["in the middle of the report", "001aok refs/hea"],
  ])("hangs up when the connection ends %s", async (_when, report) => {
    await using site = await Site.create(shim);
    await using sidecar = await site.sidecar(async (peer) => {
      await peer.readPush();
      if (report) peer.send("O", report);
      peer.socket.end();
    });
    const result = await site.push();
    await sidecar.served();
    expectHangUp(result);
    expect(result.stderr).toContain("it is not known whether this push has landed");
  });

  it.each([
    ["a frame that the protocol does not have", Buffer.from("?\0\0\0\0")],
    ["a frame of more than 1 MiB", Buffer.from("O\x7f\0\0\0")],
    ["an exit code that is none", Buffer.from("X\0\0\0\x03256")],
  ])("hangs up when the sidecar sends %s", async (_what, bytes) => {
    await using site = await Site.create(shim);
    await using sidecar = await site.sidecar(async (peer) => {
      await peer.readPush();
      peer.socket.write(bytes);
      await peer.ended();
    });
    const result = await site.push();
    await sidecar.served();
    expectHangUp(result);
  });

  it.each([
    ["the process that git waits for is killed", ["SIGKILL"], [-2]],
    ["the other process is killed", ["SIGKILL"], [-1]],
    // Stopped first, so that neither can act on the end of the other.
    ["both processes are terminated", ["SIGSTOP", "SIGTERM", "SIGCONT"], [-2, -1]],
  ] as const)("hangs up when %s", async (_what, signals, targets) => {
    await using site = await Site.create(shim);
    let push: Running | undefined;
    await using sidecar = await site.sidecar(async (peer) => {
      await peer.readPush();
      const chain = chainBelow(push!.pid);
      expect(chain.length).toBeGreaterThanOrEqual(3);
      for (const signal of signals) for (const target of targets) process.kill(chain.at(target)!, signal);
      await peer.ended();
      await until(() => !processes().some(({ pid }) => chain.includes(pid)));
    });
    push = site.startPush();
    const result = await push.result;
    expectHangUp(result);
    await sidecar.served();
  });

  it("tells the sidecar when the pusher interrupts git", async () => {
    await using site = await Site.create(shim);
    let push: Running | undefined;
    await using sidecar = await site.sidecar(async (peer) => {
      await peer.readPush();
      process.kill(-push!.pid, "SIGINT");
      expect(await peer.ended()).toMatch(/^I?$/);
    });
    push = site.startPush();
    const { stderr } = await push.result;
    await sidecar.served();
    expect(stderr).not.toContain("rejected");
  });

  it.runIf(seesClient(shim))(
    "tells the sidecar when the client vanishes, which receive-pack does not notice",
    async () => {
      await using site = await Site.create(shim);
      let push: Running | undefined;
      await using sidecar = await site.sidecar(async (peer) => {
        await peer.readPush();
        const chain = chainBelow(push!.pid);
        process.kill(push!.pid, "SIGKILL");
        expect(await peer.ended()).toBe("I");
        peer.socket.end();
        await until(() => !processes().some(({ pid }) => chain.includes(pid)));
      });
      push = site.startPush();
      await push.result;
      await sidecar.served();
    },
  );

  it("tells the sidecar when receive-pack is killed", async () => {
    await using site = await Site.create(shim);
    let push: Running | undefined;
    await using sidecar = await site.sidecar(async (peer) => {
      await peer.readPush();
      process.kill(chainBelow(push!.pid).at(-3)!, "SIGKILL");
      expect(await peer.ended()).toBe("I");
    });
    push = site.startPush();
    expectHangUp(await push.result);
    await sidecar.served();
  });

  it("will not be started by hand, where it would kill the shell", async () => {
    await using site = await Site.create(shim);
    const { code, stderr } = await site.act(["proc-receive"]);
    expect(code).toBe(2);
    expect(stderr).toBe(
      "lockstep: proc-receive is a hook that only git receive-pack can start; push to the repository instead.\n",
    );
  });
});

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

  it("finds the socket in the configuration of the repository it is given", async () => {
    await using site = await Site.create(shim);
    site.git(site.repository, "config", "lockstep.socketDir", site.dir);
    delete site.env.LOCKSTEP_SOCKET_DIR;
    await using sidecar = await site.sidecar((peer) => peer.exit(7));
    const { code } = await site.act(["lockstep-upload-pack", site.repository]);
    await sidecar.served();
    expect(code).toBe(7);
  });

  it("passes a refusal on", async () => {
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

  it("says so when there is no sidecar", async () => {
    await using site = await Site.create(shim);
    const { code, stderr } = await site.act(["lockstep-upload-pack", site.repository]);
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^lockstep: the sidecar does not answer at .*, so nothing was read; start `lockstep serve` on/,
    );
  });

  it("serves git over ssh, whatever characters the path has", async () => {
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

describe.runIf(hasNative)("lockstep-git flock", () => {
  it("takes the lock on an open file for its caller, and says when another has it", async () => {
    await using site = await Site.create(shims[0]!);
    await using mine = await open(join(site.dir, "lock"), "a");
    await using theirs = await open(join(site.dir, "lock"), "a");
    const lock = (fd: number | "ignore", argument: string) =>
      spawnSync(native, ["flock", argument], { stdio: ["ignore", "pipe", "pipe", fd], encoding: "utf8" });
    expect(lock(mine.fd, "3").status).toBe(0);
    expect(lock(mine.fd, "3").status).toBe(0);
    expect(lock(theirs.fd, "3").status).toBe(1);
    expect(lock("ignore", "77")).toMatchObject({
      status: 2,
      stderr: "lockstep: the descriptor 77 cannot be locked: Bad file descriptor.\n",
    });
    expect(lock("ignore", "x").status).toBe(2);
  });
});
