// The refs that a pusher is shown. Each push changes them. So git's answer is kept with a mark of the refs that git
// found, and the sidecar names those that have changed since. With their new ids in it, the answer is git's again.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { ALIASES_MARK } from "../../git/refs/alias-hook.ts";
import { canBePatched, patched } from "./patch-refs.ts";
import type { Rule } from "./rule.ts";

/** Returns the rule for the answers to pushers about the replica at `path`. */
export function pushRule(path: string): Rule {
  return {
    since: (found) => found?.mark ?? "new",
    now: ({ output }, { changes }) =>
      changes === undefined || hasAliases(path) ? undefined : patched(output, changes),
    mayKeep: ({ output, mark }) => Boolean(mark) && canBePatched(output) && !hasAliases(path),
  };
}

/** Returns true where a ref may lead to another one, and changes with it. */
function hasAliases(path: string): boolean {
  return existsSync(join(path, ALIASES_MARK)) || existsSync(join(path, "hooks", "pre-receive"));
}
