// One device under a supervisor, as systemd or a kubelet is one: what ends without having been told to is started again.
import { type ChildProcess, spawn } from "node:child_process";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type Device, PROGRAM } from "../support/cluster-device.ts";
import { isAlive, processesOf, untilGone } from "../support/processes.ts";

const RESTART_AFTER_MS = 200;
const PROBE_MS = 1_000;

export function gitDirectoryOf({ demo }: Device): string {
  return join(dirname(demo.root), "bin");
}

export class SupervisedDevice {
  readonly device: Device;
  /** Where the sidecar listens, and which way leads to its database. */
  readonly #env: Record<string, string>;
  #wanted = false;
  #sidecar: ChildProcess | undefined;
  #gate: ChildProcess | undefined;
  #gatePid: number;
  /** Sidecars that ended without having been killed. */
  readonly endings: { how: string; at: number; said: string }[] = [];

  constructor(device: Device, env: Record<string, string>) {
    this.device = device;
    this.#env = env;
    this.#gatePid = device.demo.gate.pid;
  }

  get name(): string {
    return this.device.name;
  }

  get pid(): number {
    return this.device.pid;
  }

  /** Everything of this device lies in it. */
  get home(): string {
    return dirname(this.device.demo.root);
  }

  /** Starts what does not run. */
  start(): void {
    this.#wanted = true;
    if (!isAlive(this.pid)) this.#startSidecar();
    if (!isAlive(this.#gatePid)) this.#startGate();
  }

  /** Where this device finds its git: see hung-git.ts. */
  get gitDirectory(): string {
    return gitDirectoryOf(this.device);
  }

  /** SIGKILL of the sidecar; it stays down until `start`. */
  async killSidecar(): Promise<void> {
    this.#wanted = false;
    // It may be about to be started again.
    if (isAlive(this.pid)) await this.device.kill();
  }

  /** SIGKILL of everything that runs on this device. Returns how many processes that were. */
  async killAll(): Promise<number> {
    this.#wanted = false;
    const running = await processesOf(`${this.home}/`);
    for (const { pid } of running) if (isAlive(pid)) process.kill(pid, "SIGKILL");
    await Promise.all(running.map(({ pid }) => untilGone(pid)));
    return running.length;
  }

  /** Starts a second sidecar while the first one is stopped; it has to wait for the lease, and then ends the first. */
  replace(): void {
    this.#startSidecar();
  }

  async untilReady(withinMs: number): Promise<boolean> {
    const deadline = Date.now() + withinMs;
    while (!(await this.#answers())) {
      if (Date.now() > deadline) return false;
      await delay(50);
    }
    return true;
  }

  /** Ends what was started here; the demo ends the rest. */
  async stop(): Promise<void> {
    this.#wanted = false;
    const children = [this.#sidecar, this.#gate].filter((child) => child?.pid && isAlive(child.pid));
    for (const child of children) child!.kill("SIGTERM");
    await Promise.all(children.map((child) => untilGone(child!.pid!)));
  }

  #startSidecar(): void {
    const child = this.device.launch(this.#env);
    this.#sidecar = child;
    this.device.pid = child.pid!;
    child.once("exit", (code, signal) => void this.#ended(child, `${code ?? signal}`));
  }

  async #ended(child: ChildProcess, how: string): Promise<void> {
    if (!this.#wanted || this.#sidecar !== child) return;
    const at = performance.now();
    this.endings.push({ how, at, said: await this.device.logEnd().catch(String) });
    await delay(RESTART_AFTER_MS);
    if (this.#wanted && this.#sidecar === child) this.#startSidecar();
  }

  #startGate(): void {
    const { gate } = this.device.demo;
    const env = { ...this.device.demo.env, ...this.#env };
    const gateEnv = Object.fromEntries(
      ["PATH", "HOME", "LOCKSTEP_ROOT", "LOCKSTEP_SOCKET_DIR", "LOCKSTEP_EXIT_WITH_PID", "LOCKSTEP_LOG_LEVEL"].map(
        (name) => [name, env[name] ?? ""],
      ),
    );
    const child = spawn(process.execPath, [PROGRAM, "gate"], {
      env: { ...gateEnv, LOCKSTEP_GATE_LISTEN: new URL(gate.url).host },
      cwd: "/",
      stdio: ["ignore", "ignore", "ignore"],
    });
    this.#gate = child;
    this.#gatePid = child.pid!;
  }

  async #answers(): Promise<boolean> {
    const ok = (url: string) =>
      fetch(url, { signal: AbortSignal.timeout(PROBE_MS) }).then(
        (response) => response.ok || response.status === 404,
        () => false,
      );
    const [sidecar, gate] = await Promise.all([ok(`${this.device.demo.http}/readyz`), ok(this.device.demo.gate.url)]);
    return sidecar && gate;
  }

  gitDir(repository: string): string {
    return join(this.device.demo.root, `${repository}.git`);
  }
}
