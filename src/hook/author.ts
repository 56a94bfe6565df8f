// Finds the pusher in the environment in which git ran the hook.
import { type RefAuthor, refAuthor } from "../domain.ts";

/**
 * Returns the pusher's name, from the first variable of a git server that names one; else "anonymous" with the address.
 */
export function authorOf(env: ReadonlyMap<string, string>): string {
  const names = ["LOCKSTEP_PUSHER", "REMOTE_USER", "GITEA_PUSHER_NAME", "GL_USER", "GL_ID", "LOGNAME", "USER"];
  const found = names.map((name) => env.get(name)).find((value) => value !== undefined && value !== "");
  const where = env.get("REMOTE_ADDR") ?? env.get("SSH_CONNECTION")?.split(" ")[0];
  return (found ?? (where === undefined ? "unknown" : `anonymous@${where}`)).slice(0, 200);
}

/**
 * Returns the author for reflogs and for the environment of a `reference-transaction` hook. If the git server names the
 * committer, as `git http-backend` does, that name counts.
 */
export function refAuthorOf(env: ReadonlyMap<string, string>): RefAuthor {
  const known = [...env].filter(([name]) => name !== "GIT_NAMESPACE");
  return refAuthor(authorOf(env), Object.fromEntries(known));
}
