// Records the statements that one piece of work sends to the database. Statements that its device sends meanwhile for
// other purposes (notifications, tidying, rows that are written after the answer) are not recorded.
import { AsyncLocalStorage } from "node:async_hooks";
import type { TestDevice } from "./sync-device.ts";

const current = new AsyncLocalStorage<string[]>();

/** Runs `work`. Adds to `statements` the text of each statement that `work`, or work that it leaves running, sends. */
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
