// What the tests of watchers wait for.
import { expect, vi } from "vitest";
import type { Told } from "./landing.ts";
import { SOON, type TestDevice } from "./sync-device.ts";

export const TAIL = /lockstep\.log_tail/;

/** Resolves when the device has sent such statements, each after the one before was answered. */
export async function untilLooked(device: TestDevice, statement = TAIL, looks = 3): Promise<void> {
  let seen = 0;
  device.onStatement = async (text, run) => {
    const result = await run();
    if (statement.test(text)) seen += 1;
    return result;
  };
  await vi.waitFor(() => {
    // Somebody has to ask, or the next look is that of the poll.
    device.context.tail.wake();
    expect(seen).toBeGreaterThanOrEqual(looks);
  }, SOON);
  device.onStatement = (_, run) => run();
}

export async function tells(told: Told, ...events: string[]): Promise<void> {
  await vi.waitFor(() => expect(told.events).toEqual(events), SOON);
}
