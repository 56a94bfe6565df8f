// Pushes of one device that wait for the mutex of a replica, so that they are decided together.
import { expect, vi } from "vitest";
import { askedBy } from "./asked.ts";
import { APP } from "./pushed-once.ts";
import { change, SOON, type TestDevice } from "./sync-device.ts";

export const branch = (name: string) => `refs/heads/${name}`;
export type Push = () => Promise<unknown>;

/** Begins pushes that wait for the mutex, in this order, and gives it to them. Returns how each of them ended. */
export async function allAtOnce(device: TestDevice, pushes: readonly Push[], before: Push = async () => {}) {
  const { mutex } = device.replica(APP);
  const asked = vi.spyOn(mutex, "runUnless");
  let ended!: Promise<PromiseSettledResult<unknown>[]>;
  await mutex.runExclusive(async () => {
    const begun: Promise<unknown>[] = [];
    for (const [index, push] of pushes.entries()) {
      begun.push(push());
      await vi.waitFor(() => expect(asked.mock.calls.length).toBe(index + 2), SOON);
    }
    ended = Promise.allSettled(begun);
    await before();
  });
  asked.mockRestore();
  return (await ended).map((each) => (each.status === "fulfilled" ? each.value : each.reason));
}

/** Returns the statements of some work, without those beside the answer to the pusher. */
export async function statementsOf(device: TestDevice, work: Push): Promise<string[]> {
  const statements: string[] = [];
  await askedBy(device, statements, work);
  return statements.filter((text) => !/update lockstep.replica|pg_notify/.test(text));
}

/** Returns the statements that decide writes, by their names. */
export async function decisionsOf(device: TestDevice, work: Push): Promise<string[]> {
  const statements = await statementsOf(device, work);
  return statements.flatMap(
    (text) => /lockstep\.(stage_write|bump_together|bump|settle_write)\(/.exec(text)?.[1] ?? [],
  );
}

/** Makes a push that creates a branch. */
export const create =
  (device: TestDevice, name: string, id: string | undefined = "") =>
  () =>
    device.push(APP, [change(name, null, id)]);

/** Returns the reports of pushes that have landed, of one branch each. */
export const landed = (...names: string[]) => names.map((name) => ({ [branch(name)]: null }));
