// One device of a cluster: its sidecar to kill and to start again as an outsider would, its gate, its command line.
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

export const PROGRAM = fileURLToPath(new URL("../../dist/main.js", import.meta.url));
/** For calls that a test expects to be answered. */
export const PATIENCE = { timeoutMs: 30_000 };
const READY_MS = 60_000;

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

/** Resolves when the command has ended. */
export async function ended(child: ChildProcess): Promise<Ended> {
  const [[code], stdout, stderr] = await Promise.all([once(child, "close"), text(child.stdout!), text(child.stderr!)]);
  return { code, stdout, stderr };
}

export class Device {
  readonly demo: DemoDevice;
  readonly name: string;
  /** Of the sidecar that was started last. */
  pid: number;
  #restarted = false;

  constructor(demo: DemoDevice) {
    this.demo = demo;
    this.name = demo.name;
    this.pid = demo.pid;
  }

  /** Where stock git finds a repository. */
  url(repository: string): string {
    return `${this.demo.gate.url}/${repository}.git`;
  }

  /** The replica on disk. */
  gitDir(repository: string): string {
    return join(this.demo.root, `${repository}.git`);
  }

  /** One RPC over the unix socket, on a connection of its own: one that has seen the sidecar die waits before it tries again. */
  call: Client["call"] = async (name, request, options) => {
    using client = new Client({ socket: this.demo.socket });
    return await client.call(name, request, options);
  };

  /** `lockstep ARGS --json` on this device. */
  async lockstep(...args: string[]): Promise<Printed> {
    const { code, stdout, stderr } = await this.print(...args, "--json");
    return { code, document: JSON.parse(stdout), stderr };
  }

  /** `lockstep ARGS` on this device. */
  async print(...args: string[]): Promise<Ended> {
    return await ended(this.command(args));
  }

  /** `lockstep ARGS` on this device as a process that can be signalled, in a group of its own if `detached`; see `ended`. */
  command(args: readonly string[], env: Record<string, string> = {}, detached = false): ChildProcess {
    return spawn(process.execPath, [PROGRAM, ...args], {
      env: { PATH: process.env.PATH ?? "/usr/bin:/bin", LOCKSTEP_SOCKET_DIR: dirname(this.demo.socket), ...env },
      stdio: ["ignore", "pipe", "pipe"],
      detached,
    });
  }

  /** SIGKILL; resolves when the process is gone. */
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

  /** Starts `argv` with `env` as `demo --json` shows them, in another folder; the caller sees to its end. */
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
    const deadline = Date.now() + READY_MS;
    while (!(await this.isReady())) {
      if (!isAlive(this.pid)) throw new Error(`the sidecar of ${this.name} ended: ${await this.logEnd()}`);
      if (Date.now() > deadline) throw new Error(`the sidecar of ${this.name} is not ready: ${await this.logEnd()}`);
      await delay(10);
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

  /** What the sidecar has logged, of all its incarnations. */
  async log(): Promise<Record<string, unknown>[]> {
    const lines = (await readFile(this.logFile, "utf8")).split("\n");
    return lines.filter((line) => line.startsWith("{") && line.endsWith("}")).map((line) => JSON.parse(line));
  }

  async logEnd(): Promise<string> {
    return (await readFile(this.logFile, "utf8")).split("\n").slice(-6).join("\n");
  }

  /** Ends a sidecar that was started here; the first one is the demo's to end. */
  async stop(): Promise<void> {
    if (!this.#restarted || !isAlive(this.pid)) return;
    process.kill(this.pid, "SIGTERM");
    await untilGone(this.pid);
  }
}
