// The settings that a repository has before it becomes a replica. Most of them stay as they are. Those that Lockstep
// must set itself are named, and those with which it cannot work are refused.
import { readlink } from "node:fs/promises";
import { join, resolve } from "node:path";
import { describe, LockstepError } from "../../errors.ts";
import { type GitContext, gitBytes } from "../process.ts";

/** Settings that the file of Lockstep sets in every replica (repository.ts). */
const REPLACED = [
  "core.fsync",
  "core.alternaterefscommand",
  "core.usereplacerefs",
  "receive.unpacklimit",
  "receive.autogc",
  "receive.advertisepushoptions",
  "receive.shallowupdate",
  "gc.auto",
  "gc.pruneexpire",
  "maintenance.auto",
];

type Setting = readonly [key: string, value: string];

/** Returns notes on the settings of a repository. Throws ADOPTION_REFUSED. */
export async function readOwnSettings(context: GitContext, gitDir: string): Promise<string[]> {
  const local = await listSettings(context, gitDir, ["--local", "--includes"]);
  const perTree = local.some(([key, value]) => key === "extensions.worktreeconfig" && isTrue(value));
  const settings = perTree ? [...local, ...(await listSettings(context, gitDir, ["--worktree"]))] : local;
  await refuse(gitDir, settings);
  const keys = new Set(settings.map(([key]) => key));
  const notes: string[] = [];
  // A replica that the database has forgotten includes the file of Lockstep already.
  const replaced = keys.has("lockstep.repositoryid") ? [] : REPLACED.filter((key) => keys.has(key));
  if (replaced.length > 0)
    notes.push(`Lockstep sets ${replaced.join(", ")} itself, so the values here have no effect any more.`);
  const mirrors = settings.filter(([key, value]) => /^remote\..*\.mirror$/.test(key) && isTrue(value));
  for (const [key] of mirrors)
    notes.push(
      `It mirrors the remote ${key.slice("remote.".length, -".mirror".length)}: a \`git fetch\` here would write refs past Lockstep, so push into it instead.`,
    );
  return notes;
}

async function refuse(gitDir: string, settings: readonly Setting[]): Promise<void> {
  const no = (why: string) => new LockstepError("ADOPTION_REFUSED", `${gitDir} ${why}.`, { details: { path: gitDir } });
  for (const [key, value] of settings) {
    if (key === "core.hookspath" && !(await leadsToUs(resolve(gitDir, value))))
      throw no(
        `has its hooks elsewhere (core.hooksPath is ${value}), where git finds no proc-receive of Lockstep; ` +
          "unset that setting, and put the hooks into the directory hooks",
      );
    if (key === "core.worktree") throw no("has a work tree (core.worktree); unset that setting");
    if (key === "extensions.partialclone" || (/^remote\..*\.promisor$/.test(key) && isTrue(value)))
      throw no(`is a partial clone (${key}), which may lack objects; make a whole clone of its source`);
    if (key === "extensions.preciousobjects" && isTrue(value))
      throw no("forbids git to repack it (extensions.preciousObjects), which Lockstep needs; unset that extension");
  }
}

async function leadsToUs(hooks: string): Promise<boolean> {
  return /\/\.lockstep\/bin\/lockstep-git$/.test(await readlink(join(hooks, "proc-receive")).catch(() => ""));
}

async function listSettings(context: GitContext, gitDir: string, scope: readonly string[]): Promise<Setting[]> {
  const { stdout } = await gitBytes(context, gitDir, ["config", ...scope, "--null", "--list"]).catch(
    (error: unknown) => {
      throw new LockstepError(
        "ADOPTION_REFUSED",
        `${gitDir} has settings that git cannot read (${describe(error)}); correct its file "config".`,
        { details: { path: gitDir } },
      );
    },
  );
  return stdout
    .toString("utf8")
    .split("\0")
    .filter(Boolean)
    .map((entry) => {
      const end = entry.indexOf("\n");
      // A key without a value is true.
      return end < 0 ? ([entry, "true"] as const) : ([entry.slice(0, end), entry.slice(end + 1)] as const);
    });
}

function isTrue(value: string): boolean {
  return !/^(false|no|off|[+-]?0+[kmg]?|)$/i.test(value);
}
