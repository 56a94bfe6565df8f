import { WAITS } from "../../waits.ts";
// Remembers devices that were asked for objects and showed no work. Another device sent the objects meanwhile, or the
// request was given up.

/** Remembers for a minute which devices showed no work. */
export class SlowSources {
  readonly #until = new Map<string, number>();

  add(device: string): void {
    this.#until.set(device, performance.now() + WAITS.slowSourceMs);
  }

  /** Forgets a device, because it has sent something. */
  delete(device: string): void {
    this.#until.delete(device);
  }

  has(device: string): boolean {
    return (this.#until.get(device) ?? 0) > performance.now();
  }
}
