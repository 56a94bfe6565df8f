// What the log has of a git that failed. Its client reads a sentence with the same request id.
import type { Ending, GitChild } from "./git-child.ts";

type Log = (fields: Record<string, unknown>, message: string) => void;

/** git ends so after a message, most often about what its client has asked for. */
const GIT_DIED = 128;

/** Logs each thing that git says on standard error. Returns how to log that it has failed, with its last words. */
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

/** The same for one that could not even be started. */
export function logNotStarted(
  log: { readonly error: Log },
  fields: Readonly<Record<string, unknown>>,
  cause: unknown,
): void {
  log.error({ ...fields, event: "git_failed", said: String(cause) }, "git could not be started");
}
