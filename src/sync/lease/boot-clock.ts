import { uptime } from "node:os";

/**
 * Returns milliseconds of a clock that goes on while the machine is suspended; performance.now() does not. It has steps
 * of a hundredth of a second.
 */
export function bootClockMs(): number {
  return uptime() * 1_000;
}
