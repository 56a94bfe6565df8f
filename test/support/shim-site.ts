// Runs the shims as git starts them, with a scripted sidecar.
import { spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { arch, tmpdir } from "node:os";
import { join } from "node:path";
import { playSidecar, type ScriptedSidecar, type ShimPeer } from "./hook-frames.ts";

const DIST = join(import.meta.dirname, "..", "..", "dist");
const NODE_MAIN = join(DIST, "shim", "main.js");
if (!existsSync(NODE_MAIN)) throw new Error("The shims are not built; run `npm run build` first.");

export const NATIVE = join(DIST, "native", arch(), "lockstep-git");
export const hasNative = existsSync(NATIVE);
if (!hasNative) console.warn("the native shim is not tested: there was no C compiler to build it");

export interface Shim {
  readonly name: string;
  /** The program and its first arguments. The name of its role follows them. */
  readonly command: readonly string[];
}

export const shims: Shim[] = [
  ...(hasNative ? [{ name: "native", command: [NATIVE] }] : []),
  { name: "Node", command: [process.execPath, NODE_MAIN] },
];

export interface Result {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly pid: number;
  readonly result: Promise<Result>;
}

/** A bare repository with the shim as its hook, and a clone with one commit to push. */
export class Site implements AsyncDisposable {
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
      // The process gets its own group, as from a terminal.
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

  /** Runs the shim in one of its roles. */
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

  /** Writes the refs of the commands, as the sidecar does. */
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

/** Returns whether this shim notices that the client of its git has vanished. */
export function seesClient({ name }: Shim): boolean {
  const sees = name === "native" && process.platform === "linux";
  if (!sees) console.warn(`the ${name} shim cannot see that a client has vanished: that is not tested`);
  return sees;
}
