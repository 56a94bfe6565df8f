// Who pushed, from the environment in which git ran the hook.
import { type RefAuthor, refAuthor } from "../domain.ts";

/** By whichever name the git server has for it. */
export function authorOf(env: ReadonlyMap<string, string>): string {
  const names = ["LOCKSTEP_PUSHER", "REMOTE_USER", "GITEA_PUSHER_NAME", "GL_USER", "GL_ID", "LOGNAME", "USER"];
  const found = names.map((name) => env.get(name)).find((value) => value !== undefined && value !== "");
  const where = env.get("REMOTE_ADDR") ?? env.get("SSH_CONNECTION")?.split(" ")[0];
  return (found ?? (where === undefined ? "unknown" : `anonymous@${where}`)).slice(0, 200);
}

/**
 * For reflogs, and the environment of a `reference-transaction` hook. A git server that says who the committer is, as `git http-backend`
 * does, is believed.
 */
export function refAuthorOf(env: ReadonlyMap<string, string>): RefAuthor {
  const known = [...env].filter(([name]) => name !== "GIT_NAMESPACE");
  return refAuthor(authorOf(env), Object.fromEntries(known));
}
