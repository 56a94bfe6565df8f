// One device under a supervisor like systemd or a kubelet. A process that ends without an order is started again.
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
  /** Variables for the sidecar: its addresses and the URL of its database. */
  readonly #env: Record<string, string>;
  #wanted = false;
  #sidecar: ChildProcess | undefined;
  #gate: ChildProcess | undefined;
  #gatePid: number;
  /** The ends of sidecars that nobody killed. */
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

  /** The folder of all files of this device. */
  get home(): string {
    return dirname(this.device.demo.root);
  }

  /** Starts sidecar and gate, each if it does not run. */
  start(): void {
    this.#wanted = true;
    if (!isAlive(this.pid)) this.#startSidecar();
    if (!isAlive(this.#gatePid)) this.#startGate();
  }

  /** The directory where this device finds its git (hung-git.ts). */
  get gitDirectory(): string {
    return gitDirectoryOf(this.device);
  }

  /** Kills the sidecar with SIGKILL. It stays down until `start`. */
  async killSidecar(): Promise<void> {
    this.#wanted = false;
    // The sidecar may have ended already and wait for its restart.
    if (isAlive(this.pid)) await this.device.kill();
  }

  /** Kills all processes of this device with SIGKILL. Returns their number. */
  async killAll(): Promise<number> {
    this.#wanted = false;
    const running = await processesOf(`${this.home}/`);
    for (const { pid } of running) if (isAlive(pid)) process.kill(pid, "SIGKILL");
    await Promise.all(running.map(({ pid }) => untilGone(pid)));
    return running.length;
  }

  /** Starts a second sidecar while the first is stopped. The second waits for the lease and then ends the first. */
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

  /** Ends the processes that this object started. The demo ends the others. */
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
