// The pre-receive hook of a replica that holds aliases (symbolic refs other than HEAD). Only this hook can note some
// facts of a push (src/sync/push/held-back.ts). Other replicas do not get it, since it costs every push two starts of
// small programs. A file of Lockstep says too that there are aliases, since the hooks belong to the operator.
import { readFile, readlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { HEAD, isSymbolic, type RefName, type RefValue } from "../../domain.ts";
import { makeDirectoryBelow, replaceFile } from "../../io/disk.ts";

/** An empty file in a replica that holds, or held, aliases. */
export const ALIASES_MARK = "lockstep.aliases";

/**
 * Installs the hook, and makes the file, if one of `refs` is an alias. Leaves an operator's own hook as it is. Does
 * nothing in a repository that is not a replica. The hook is a file and not a link: copying another hook over a link
 * would overwrite its target.
 */
export async function ensureAliasHook(gitDir: string, refs: Iterable<[RefName, RefValue | null]>): Promise<void> {
  if (!hasAlias(refs)) return;
  const hooks = join(gitDir, "hooks");
  const shim = await readlink(join(hooks, "proc-receive")).catch(() => undefined);
  if (shim === undefined) return;
  await markAliases(gitDir);
  const path = join(hooks, "pre-receive");
  const wanted = aliasHook(shim);
  const found = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) =>
    error.code === "ENOENT" ? undefined : "",
  );
  if (found === wanted || (found !== undefined && !isAliasHook(found))) return;
  await makeDirectoryBelow(gitDir, "hooks");
  await replaceFile(path, wanted, 0o755);
}

/** Makes the file, if nothing is there. A link that somebody put there is not followed. */
async function markAliases(gitDir: string): Promise<void> {
  await writeFile(join(gitDir, ALIASES_MARK), "", { flag: "wx" }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EEXIST") throw error;
  });
}

function hasAlias(refs: Iterable<[RefName, RefValue | null]>): boolean {
  for (const [name, value] of refs) if (name !== HEAD && isSymbolic(value)) return true;
  return false;
}

const MARK = "# Written by Lockstep";

/** Returns true for the text of our hook. */
export function isAliasHook(text: string): boolean {
  return text.includes(MARK);
}

function aliasHook(shim: string): string {
  return `#!/bin/sh
${MARK}: tells the sidecar of aliases that are pushed together with their targets. In place of
# this, a hook of your own: exec '${shim}' pre-receive /path/of/your/hook
exec '${shim.replaceAll("'", "'\\''")}' pre-receive
`;
}
