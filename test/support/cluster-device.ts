// One device of a cluster. A test can kill and restart its sidecar, and use its gate and its command line.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Client } from "../../src/client/client.ts";
import type { DemoDevice } from "../../src/demo/cluster.ts";
import { isAlive, untilGone } from "./processes.ts";
import { SOON } from "./soon.ts";

export const PROGRAM = fileURLToPath(new URL("../../dist/main.js", import.meta.url));
/** The time limit of a call that must be answered. */
export const PATIENCE = { timeoutMs: SOON.timeout };
/** A look costs the test and the sidecar a millisecond each, and a start takes half a second and more. */
const READY_LOOK_MS = 25;

export interface Printed {
  readonly code: number | null;
  // biome-ignore lint/suspicious/noExplicitAny: the shape of a document is what tests check.
  readonly document: any;
  readonly stderr: string;
}

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Returns the environment that shortens a command's waits as those of its sidecar. */
function shortAs({ LOCKSTEP_WAITS_FACTOR }: Record<string, string>): Record<string, string> {
  return LOCKSTEP_WAITS_FACTOR ? { LOCKSTEP_WAITS_FACTOR } : {};
}

/** Resolves when the command has ended, with its exit code and output. */
export async function ended(child: ChildProcess): Promise<Ended> {
  const [[code], stdout, stderr] = await Promise.all([once(child, "close"), text(child.stdout!), text(child.stderr!)]);
  return { code, stdout, stderr };
}

export class Device {
  readonly demo: DemoDevice;
  readonly name: string;
  /** The process id of the last sidecar that was started. */
  pid: number;
  #restarted = false;

  constructor(demo: DemoDevice) {
    this.demo = demo;
    this.name = demo.name;
    this.pid = demo.pid;
  }

  /** Returns the URL of a repository for stock git. */
  url(repository: string): string {
    return `${this.demo.gate.url}/${repository}.git`;
  }

  /** Returns the path of the replica on disk. */
  gitDir(repository: string): string {
    return join(this.demo.root, `${repository}.git`);
  }

  /**
   * Calls an RPC over the unix socket on a new connection. An old connection whose sidecar died would wait before it
   * connects again.
   */
  call: Client["call"] = async (name, request, options) => {
    using client = new Client({ socket: this.demo.socket });
    return await client.call(name, request, options);
  };

  /** Catches the replica up as `lockstep sync` does, without a process of its own. Rejects with a LockstepError. */
  async sync(repository: string): Promise<void> {
    using client = new Client({ socket: this.demo.socket });
    const messages = client.stream("FetchFrom", { repository }, AbortSignal.timeout(PATIENCE.timeoutMs));
    for await (const { result } of messages) if (result) return;
    throw new Error(`no result of the catch-up of ${repository} on ${this.name}`);
  }

  /** Returns those who wait for the turn to write, the next one first. */
  async waiters(repository: string) {
    return (await this.call("GetRepository", { repository }, PATIENCE)).waiters;
  }

  /** Runs `lockstep ARGS --json` on this device and returns the parsed document. */
  async lockstep(...args: string[]): Promise<Printed> {
    const { code, stdout, stderr } = await this.print(...args, "--json");
    return { code, document: JSON.parse(stdout), stderr };
  }

  /** Runs `lockstep ARGS` on this device. */
  async print(...args: string[]): Promise<Ended> {
    return await ended(this.command(args));
  }

  /**
   * Starts `lockstep ARGS` on this device as a process to signal, in its own group if `detached`. `ended` waits for it.
   */
  command(args: readonly string[], env: Record<string, string> = {}, detached = false): ChildProcess {
    return spawn(process.execPath, [PROGRAM, ...args], {
      env: {
        PATH: process.env.PATH ?? "/usr/bin:/bin",
        LOCKSTEP_SOCKET_DIR: dirname(this.demo.socket),
        ...shortAs(this.demo.env),
        ...env,
      },
      stdio: ["ignore", "pipe", "pipe"],
      detached,
    });
  }

  /** Kills the sidecar with SIGKILL and resolves when the process has ended. */
  async kill(): Promise<void> {
    process.kill(this.pid, "SIGKILL");
    await untilGone(this.pid);
  }

  /** Starts the sidecar again and resolves when it is ready. */
  async start(env: Record<string, string> = {}): Promise<void> {
    this.pid = this.launch(env).pid!;
    this.#restarted = true;
    await this.untilReady();
  }

  /** Starts `argv` with the environment of `demo --json` and `env`, in another folder. The caller ends the process. */
  launch(env: Record<string, string> = {}): ChildProcess {
    const [program, ...args] = this.demo.argv as [string, ...string[]];
    const log = openSync(this.logFile, "a");
    const child = spawn(program, args, {
      env: { ...this.demo.env, ...env },
      cwd: "/usr",
      stdio: ["ignore", "ignore", log],
    });
    closeSync(log);
    return child;
  }

  async untilReady(): Promise<void> {
    const deadline = Date.now() + SOON.timeout;
    while (!(await this.isReady())) {
      if (!isAlive(this.pid)) throw new Error(`the sidecar of ${this.name} ended: ${await this.logEnd()}`);
      if (Date.now() > deadline) throw new Error(`the sidecar of ${this.name} is not ready: ${await this.logEnd()}`);
      await delay(READY_LOOK_MS);
    }
  }

  async isReady(): Promise<boolean> {
    return await fetch(`${this.demo.http}/readyz`).then(
      (response) => response.ok,
      () => false,
    );
  }

  get logFile(): string {
    return join(dirname(this.demo.root), "sidecar.log");
  }

  /** Returns the log lines of all incarnations of the sidecar. */
  async log(): Promise<Record<string, unknown>[]> {
    const lines = (await readFile(this.logFile, "utf8")).split("\n");
    return lines.filter((line) => line.startsWith("{") && line.endsWith("}")).map((line) => JSON.parse(line));
  }

  async logEnd(): Promise<string> {
    return (await readFile(this.logFile, "utf8")).split("\n").slice(-6).join("\n");
  }

  /** Ends a sidecar that this object started. The demo ends the first sidecar. */
  async stop(): Promise<void> {
    if (!this.#restarted || !isAlive(this.pid)) return;
    process.kill(this.pid, "SIGTERM");
    await untilGone(this.pid);
  }
}
