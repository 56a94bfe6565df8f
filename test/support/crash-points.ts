// Holds a sidecar at one of its crash points, so that a test can make a failure happen there.
import { statSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { vi } from "vitest";
import type { CrashPoint } from "../../src/crash-points.ts";
import type { Device } from "./cluster-device.ts";
import { isAlive, processesOf } from "./processes.ts";
import { soon } from "./soon.ts";

export interface Held extends AsyncDisposable {
  /** Resolves when the point was reached so many times. Default: once. */
  reached(times?: number): Promise<void>;
  /** Lets the sidecar continue. */
  release(): Promise<void>;
}

/** A device whose sidecar can be held, after the first `restart`. */
export class Holdable {
  readonly device: Device;
  readonly #directory: string;

  constructor(device: Device, dir: string) {
    this.device = device;
    this.#directory = join(dir, `crash-points-${device.name}`);
  }

  /** Kills the sidecar if it runs, and starts it with crash points. */
  async restart(): Promise<void> {
    await mkdir(this.#directory, { recursive: true });
    if (isAlive(this.device.pid)) await this.device.kill();
    await this.device.start({ LOCKSTEP_CRASH_POINTS: this.#directory });
  }

  /** Holds the sidecar each time that it reaches the point, until `release`. */
  async hold(point: CrashPoint): Promise<Held> {
    const hold = join(this.#directory, point);
    await rm(`${hold}.reached`, { force: true });
    await writeFile(hold, "");
    const release = () => rm(hold, { force: true });
    return {
      reached: async (times = 1) => {
        const count = () => statSync(`${hold}.reached`, { throwIfNoEntry: false })?.size ?? 0;
        await vi.waitUntil(() => count() >= times, soon(5));
      },
      release,
      [Symbol.asyncDispose]: release,
    };
  }
}

/**
 * Kills every process in the directory whose command line matches `wanted` and whose parent's command line matches
 * `parent`. Throws if there is none.
 */
export async function killProcesses(directory: string, wanted: RegExp, parent = /^/): Promise<void> {
  const all = await processesOf(directory);
  const found = all.filter(
    (each) => wanted.test(each.command) && parent.test(all.find(({ pid }) => pid === each.parent)?.command ?? ""),
  );
  if (found.length === 0) throw new Error(`nothing like ${wanted} runs in ${directory}`);
  for (const { pid } of found) if (isAlive(pid)) process.kill(pid, "SIGKILL");
}
