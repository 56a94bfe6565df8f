// Logs the failure of a git. Its client gets a sentence with the same request id.
import type { Ending, GitChild } from "./git-child.ts";

type Log = (fields: Record<string, unknown>, message: string) => void;

/** git's exit code after a message, most often about the client's request. */
const GIT_DIED = 128;

/** Logs each piece of git's standard error. Returns a function that logs git's failure with its last words. */
export function overhear(
  git: GitChild,
  log: { readonly warn: Log; readonly error: Log },
  fields: Readonly<Record<string, unknown>>,
  message: string,
): (ending: Ending) => void {
  const said = (words: string) => log.warn({ ...fields, said: words }, message);
  if (git.words !== "") said(git.words);
  git.stderr.on("data", said);
  return ({ code, signal }) => {
    const line = { ...fields, event: "git_failed", exitCode: code, signal, said: git.words.trim() };
    log[code === GIT_DIED ? "warn" : "error"](line, "git failed");
  };
}

/** Logs a git that could not be started. */
export function logNotStarted(
  log: { readonly error: Log },
  fields: Readonly<Record<string, unknown>>,
  cause: unknown,
): void {
  log.error({ ...fields, event: "git_failed", said: String(cause) }, "git could not be started");
}
