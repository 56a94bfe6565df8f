// Devices that showed no work when they were asked for objects, while another sent them or until they were given up.

/** A machine that hangs is asked last for so long, so that not every catch-up waits for it first. */
const REMEMBERED_MS = 60_000;

export class SlowSources {
  readonly #until = new Map<string, number>();

  add(device: string): void {
    this.#until.set(device, performance.now() + REMEMBERED_MS);
  }

  /** It has sent something. */
  delete(device: string): void {
    this.#until.delete(device);
  }

  has(device: string): boolean {
    return (this.#until.get(device) ?? 0) > performance.now();
  }
}
