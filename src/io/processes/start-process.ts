// Starts programs on a machine that may have no free file descriptors.
import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";

/**
 * Starts a program as `spawn` does. Throws EMFILE when too many files are open. Then Node makes no pipes, and emits an
 * error before any caller could listen, which would end this process. Other errors are emitted.
 */
export function startProcess(program: string, args: readonly string[], options: SpawnOptions): ChildProcess {
  const child = spawn(program, args, options);
  if ((child.stdio as ChildProcess["stdio"] | undefined) !== undefined) return child;
  child.on("error", () => {});
  throw Object.assign(new Error(`spawn ${program} EMFILE`), { code: "EMFILE" });
}
