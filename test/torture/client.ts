// One client: stock git with two repositories. It pushes from one that shares the objects of all pushers. It fetches
// into one that shares no objects, so that every fetch transfers them.
import { spawn } from "node:child_process";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { commandOf } from "./odd-names.ts";
import { type Asked, type Told, toldOf } from "./told.ts";

/** After this time a client kills its git. */
const PATIENCE_MS = 8_000;
const SETTINGS = ["core.abbrev=no", "gc.auto=0", "maintenance.auto=false"].flatMap((setting) => ["-c", setting]);

interface Ended {
  /** The exit code of git, or null if git was killed. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The refs that a read saw; undefined if the read failed. */
export interface Sight {
  readonly refs: Record<string, string> | undefined;
  readonly said: string;
}

export class Client {
  readonly name: string;
  readonly #dir: string;
  readonly #objects: string;
  readonly #env: Record<string, string>;
  #running: number | undefined;

  private constructor(name: string, dir: string, objects: string) {
    this.name = name;
    this.#dir = join(dir, name);
    this.#objects = objects;
    const path = process.env.PATH ?? "/usr/bin:/bin";
    this.#env = { PATH: path, HOME: dir, LC_ALL: "C", GIT_CONFIG_NOSYSTEM: "1", GIT_TERMINAL_PROMPT: "0" };
  }

  /** `objects` is the object directory that pushers share. */
  static async create(name: string, dir: string, objects: string): Promise<Client> {
    const client = new Client(name, dir, objects);
    for (const each of ["push.git", "read.git"]) {
      const { code, stderr } = await client.#git(dir, ["init", "--quiet", "--bare", join(dir, name, each)]);
      if (code !== 0) throw new Error(`git init of client ${name}: ${stderr}`);
    }
    return client;
  }

  /** True while the client runs git. */
  get busy(): boolean {
    return this.#running !== undefined;
  }

  /** Kills the running git and its children with SIGKILL. git over http is several processes. */
  kill(): void {
    if (this.#running !== undefined) process.kill(-this.#running, "SIGKILL");
  }

  /** Pushes and returns the outcome of each ref. */
  async push(
    url: string,
    asked: readonly Asked[],
    options: readonly string[],
  ): Promise<{ told: Told[]; said: string }> {
    const refspecs = asked.map(({ ref, alias = ref, new: value }) => `${value ?? ""}:${alias}`);
    const env = { GIT_ALTERNATE_OBJECT_DIRECTORIES: this.#objects };
    const { code, stdout, stderr } = await this.#git(
      join(this.#dir, "push.git"),
      ["push", "--porcelain", ...options, url, ...refspecs],
      env,
    );
    return { told: asked.map((each) => toldOf(each, stdout, stderr, code)), said: ending(`${stdout}${stderr}`) };
  }

  async lsRemote(url: string, scope: string): Promise<Sight> {
    const { code, stdout, stderr } = await this.#git(this.#dir, ["ls-remote", url, `${scope}*`]);
    return { refs: code === 0 ? listed(stdout, "\t") : undefined, said: ending(stderr) };
  }

  async fetch(url: string, scope: string): Promise<Sight> {
    const place = join(this.#dir, "read.git");
    const { code, stderr } = await this.#git(place, ["fetch", "--quiet", "--prune", url, `+${scope}*:${scope}*`]);
    return await this.#refsIn(place, scope, code, stderr);
  }

  /** Clones all refs and returns those below `scope`. */
  async clone(url: string, scope: string): Promise<Sight> {
    const place = join(this.#dir, "clone.git");
    await rm(place, { recursive: true, force: true });
    const { code, stderr } = await this.#git(this.#dir, ["clone", "--quiet", "--mirror", url, place]);
    return await this.#refsIn(place, scope, code, stderr);
  }

  async #refsIn(place: string, scope: string, code: number | null, said: string): Promise<Sight> {
    if (code !== 0) return { refs: undefined, said: ending(said) };
    const format = ["--format=%(objectname) %(refname)", scope.replace(/\/$/, "")];
    const found = await this.#git(place, ["for-each-ref", ...format]);
    return { refs: listed(found.stdout, " "), said: ending(said) };
  }

  async #git(cwd: string, args: readonly string[], env: Record<string, string> = {}): Promise<Ended> {
    const child = spawn(...commandOf("git", [...SETTINGS, ...args]), {
      cwd,
      env: { ...this.#env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    this.#running = child.pid;
    const timer = setTimeout(() => this.kill(), PATIENCE_MS);
    const exited = new Promise<number | null>((resolve, reject) => {
      child.once("error", reject).once("exit", (code) => {
        this.#running = undefined;
        resolve(code);
      });
    });
    try {
      const [code, stdout, stderr] = await Promise.all([exited, latin1(child.stdout), latin1(child.stderr)]);
      return { code, stdout, stderr: code === null ? `${stderr}killed` : stderr };
    } finally {
      clearTimeout(timer);
    }
  }
}

async function latin1(stream: NodeJS.ReadableStream): Promise<string> {
  return (await buffer(stream)).toString("latin1");
}

function listed(output: string, separator: string): Record<string, string> {
  const lines = output.split("\n").filter((line) => line !== "");
  return Object.fromEntries(lines.map((line) => line.split(separator).reverse() as [string, string]));
}

function ending(said: string): string {
  return said.trim().slice(-400);
}
