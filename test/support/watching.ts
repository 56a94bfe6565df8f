// Runs `lockstep watch --json` as a process, and keeps what it prints.
import type { ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import { expect, vi } from "vitest";
import { type Device, type Ended, ended } from "./cluster-device.ts";
import { soon } from "./soon.ts";

export class Watching implements AsyncDisposable {
  // biome-ignore lint/suspicious/noExplicitAny: the shape of a document is what tests check.
  readonly events: any[] = [];
  readonly #child: ChildProcess;
  readonly #ended: Promise<Ended>;

  constructor(device: Device, ...args: string[]) {
    this.#child = device.command(["watch", "--json", ...args]);
    this.#ended = ended(this.#child);
    createInterface({ input: this.#child.stdout! }).on("line", (line) => this.events.push(JSON.parse(line)));
  }

  /** "REPOSITORY VERSION" of each event. */
  get told(): string[] {
    return this.events.map(({ repository, version }) => `${repository} ${version}`);
  }

  /** Resolves when this many events have been printed. */
  async untilTold(count: number): Promise<void> {
    const told = () => `of ${count} events ${this.events.length} were printed: ${JSON.stringify(this.events)}`;
    await vi.waitFor(() => expect(this.events.length >= count, told()).toBe(true), soon(10));
  }

  /** Ends the command with a signal, as Ctrl-C does, unless it ends by itself. */
  async end(signal?: NodeJS.Signals): Promise<Ended> {
    if (signal !== undefined) this.#child.kill(signal);
    return await this.#ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null) this.#child.kill("SIGKILL");
    await this.#ended;
  }
}
