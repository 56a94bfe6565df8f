// Parts of a repository with which git reads refs or objects of other directories. A replica has none.
import { lstatSync } from "node:fs";
import { join } from "node:path";
import { LockstepError } from "../../errors.ts";

/** With this file git reads objects from other directories too. No setting makes git ignore it. */
export const ALTERNATES = "objects/info/alternates";

/** Returns the parts of a repository that lead git to other directories: files with their names, and links. */
export function borrowingParts(gitDir: string): string[] {
  const at = (part: string) => {
    try {
      return lstatSync(join(gitDir, part), { throwIfNoEntry: false });
    } catch {
      // git cannot read it either.
      return undefined;
    }
  };
  const links = ["objects", "refs"].filter((part) => at(part)?.isSymbolicLink());
  const below = links.includes("objects") ? [] : ["objects/pack", "objects/info"];
  links.push(...below.filter((part) => at(part)?.isSymbolicLink()));
  const files = links.some((part) => ALTERNATES.startsWith(part)) ? ["commondir"] : ["commondir", ALTERNATES];
  return [...links, ...files.filter((part) => at(part))];
}

/**
 * Throws REPLICA_BORROWS when git would read refs or objects of other directories there. Somebody who may write a
 * replica must not be served what only the sidecar may read.
 */
export function assertAlone(gitDir: string, { scratch = false }: { readonly scratch?: boolean } = {}): void {
  const part = borrowingParts(gitDir).find((each) => !(scratch && each === ALTERNATES));
  if (part === undefined) return;
  throw new LockstepError(
    "REPLICA_BORROWS",
    `${join(gitDir, part)} makes git read from another directory, so nothing of this replica is served; \`lockstep verify NAME --full\` on this device moves it aside.`,
    { details: { path: join(gitDir, part) } },
  );
}
