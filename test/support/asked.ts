// What one piece of work asks the database for, whatever its device does beside it at the same time (notifications, tidying, rows that are
// written after the answer).
import { AsyncLocalStorage } from "node:async_hooks";
import type { TestDevice } from "./sync-device.ts";

const current = new AsyncLocalStorage<string[]>();

/** Runs `work`, and adds to `statements` the text of each statement that is sent in the course of it, also by what it leaves running. */
export async function askedBy<Result>(
  device: TestDevice,
  statements: string[],
  work: () => Promise<Result>,
): Promise<Result> {
  const { onStatement } = device;
  device.onStatement = (text, run) => {
    if (current.getStore() === statements) statements.push(text);
    return onStatement(text, run);
  };
  return await current.run(statements, work);
}
