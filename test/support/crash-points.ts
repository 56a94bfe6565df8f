// Holds a sidecar at one of its crash points, for a failure to be aimed at it.
import { existsSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { vi } from "vitest";
import type { CrashPoint } from "../../src/crash-points.ts";
import type { Device } from "./cluster-device.ts";
import { isAlive, processesOf } from "./processes.ts";

export interface Held extends AsyncDisposable {
  /** Resolves when the device has come to the point. */
  reached(): Promise<void>;
  /** Lets it go on. */
  release(): Promise<void>;
}

/** A device whose sidecar can be held. Until `restart` it cannot. */
export class Holdable {
  readonly device: Device;
  readonly #directory: string;

  constructor(device: Device, dir: string) {
    this.device = device;
    this.#directory = join(dir, `crash-points-${device.name}`);
  }

  /** Ends the sidecar if it runs, and starts it. */
  async restart(): Promise<void> {
    await mkdir(this.#directory, { recursive: true });
    if (isAlive(this.device.pid)) await this.device.kill();
    await this.device.start({ LOCKSTEP_CRASH_POINTS: this.#directory });
  }

  /** From now on the sidecar is held at the point, whenever it comes there. */
  async hold(point: CrashPoint): Promise<Held> {
    const hold = join(this.#directory, point);
    await rm(`${hold}.reached`, { force: true });
    await writeFile(hold, "");
    const release = () => rm(hold, { force: true });
    return {
      reached: () => vi.waitUntil(() => existsSync(`${hold}.reached`), { timeout: 30_000, interval: 5 }).then(() => {}),
      release,
      [Symbol.asyncDispose]: release,
    };
  }
}

/**
 * SIGKILL for every process that works in the directory and whose command line matches, as that of its parent must; there is at least
 * one.
 */
export async function killProcesses(directory: string, wanted: RegExp, parent = /^/): Promise<void> {
  const all = await processesOf(directory);
  const found = all.filter(
    (each) => wanted.test(each.command) && parent.test(all.find(({ pid }) => pid === each.parent)?.command ?? ""),
  );
  if (found.length === 0) throw new Error(`nothing like ${wanted} runs in ${directory}`);
  for (const { pid } of found) if (isAlive(pid)) process.kill(pid, "SIGKILL");
}
