// Acts as a load balancer: after failures of a device it avoids the device for a moment.
import type { Result } from "./history.ts";

const AWAY_MS = 1_500;
/** The failures in a row after which a device counts as down. A refusal is an answer and no failure. */
const PATIENCE = 2;

export class Balancer {
  readonly #devices: readonly string[];
  readonly #failures = new Map<string, { count: number; at: number }>();

  constructor(devices: readonly string[]) {
    this.#devices = devices;
  }

  /**
   * Returns the wanted device, or the next one that does not count as down. If all are down, returns the wanted one.
   */
  choose(wanted: string): string {
    const at = this.#devices.indexOf(wanted);
    const inTurn = [...this.#devices.slice(at), ...this.#devices.slice(0, at)];
    return inTurn.find((device) => !this.#isDown(device)) ?? wanted;
  }

  note(device: string, result: Result): void {
    if (result === "ok") this.#failures.delete(device);
    else this.#failures.set(device, { count: (this.#failures.get(device)?.count ?? 0) + 1, at: performance.now() });
  }

  #isDown(device: string): boolean {
    const failures = this.#failures.get(device);
    return failures !== undefined && failures.count >= PATIENCE && performance.now() - failures.at < AWAY_MS;
  }
}
