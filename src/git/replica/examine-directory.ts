// Looks whether a bare repository that somebody made can become a replica as it is. Changes nothing. Each refusal says
// what is in the way and what to do.
import { access, constants, lstat, readFile, readlink } from "node:fs/promises";
import { join } from "node:path";
import { describeUnacceptable } from "../../acceptable-ref.ts";
import { displayRef, HEAD, isSymbolic, objectIds, type RefName, type Refs } from "../../domain.ts";
import { describe, LockstepError } from "../../errors.ts";
import { exists, isReftable, namesIn } from "../../io/disk.ts";
import type { LocalArguments } from "../command/operations.ts";
import { findBeside } from "../objects/beside-objects.ts";
import { existingObjects, isConnected } from "../objects/connectivity.ts";
import { type GitContext, gitBytes } from "../process.ts";
import { readRefs } from "../refs/refs.ts";
import { findForeignFiles } from "./foreign-files.ts";
import { readOwnSettings } from "./own-settings.ts";
import { assertRights } from "./rights.ts";

/** A repository that can become a replica. */
export interface Examined {
  readonly objectFormat: "sha1" | "sha256";
  /** Its refs and HEAD, without those below refs/lockstep/. */
  readonly refs: Refs;
  /** Facts that an operator may want to know, each a sentence. */
  readonly notes: readonly string[];
}

export interface ExamineOptions {
  /** Also walks the whole history. */
  readonly objects: boolean;
  readonly signal: AbortSignal;
}

/** How many refs or files a refusal names. */
const NAMED = 5;

/** The settings that `git init --bare` writes, and no others. */
const PLAIN_CONFIG = /^\[core\]\n\trepositoryformatversion = 0\n\tfilemode = (?:true|false)\n\tbare = true\n$/;

/** Makes the error ADOPTION_REFUSED. `why` continues "PATH …". */
export function adoptionRefusedError(path: string, why: string): LockstepError {
  return new LockstepError("ADOPTION_REFUSED", `${path} ${why}.`, { details: { path } });
}

/** Examines the repository at `gitDir`. Throws ADOPTION_REFUSED, PREREQUISITE_MISSING for rights that are missing. */
export async function examineDirectory(
  context: GitContext,
  gitDir: string,
  { objects, signal }: ExamineOptions,
): Promise<Examined> {
  const refuse = (why: string) => adoptionRefusedError(gitDir, why);
  await refuseLinks(gitDir);
  await assertRights(gitDir);
  await assertObjectRights(gitDir);
  await refuseParts(gitDir);
  // Most directories have no settings of their own, and need no git to tell them.
  const isPlain = PLAIN_CONFIG.test(await readFile(join(gitDir, "config"), "latin1").catch(() => ""));
  const objectFormat = isPlain ? "sha1" : await readFormat(context, gitDir);
  const own = isPlain ? [] : await readOwnSettings(context, gitDir);
  const notes = [...own, ...(await examineHooks(gitDir))];
  // With a reftable git keeps a file "refs/heads" that older gits cannot take for a ref.
  const foreign = isReftable(gitDir) ? [] : await findForeignFiles({ gitDir, objectFormat });
  if (foreign.length > 0) {
    const files = foreign.slice(0, NAMED).map(({ name, why }) => `${displayRef(name)} (${why})`);
    throw refuse(`has files among its refs that are no refs: ${files.join(", ")}; move them away`);
  }
  const refs = await readRefs(context, gitDir, signal).catch((error: unknown) => {
    signal.throwIfAborted();
    const what = /not a git repository/.test(describe(error))
      ? "cannot be read by git"
      : "has refs that git cannot read";
    throw refuse(`${what} (${describe(error)})`);
  });
  if (!refs.has(HEAD)) throw refuse("has a HEAD that git cannot read; point it to a branch with `git symbolic-ref`");
  const made = [...refs].map(([name, newValue]) => ({ name, oldValue: null, newValue }));
  const unacceptable = describeUnacceptable(made);
  if (unacceptable !== "")
    throw refuse(`has refs that not every device can hold: ${unacceptable}; delete or rename them with git`);
  if ([...refs.keys()].some((name) => displayRef(name).startsWith("refs/replace/")))
    notes.push("Its replacement refs (refs/replace/) are kept, but no git of a replica follows them.");
  if (objects) await refuseMissingObjects(context, gitDir, refs, signal);
  return { objectFormat, refs, notes };
}

/** Refuses what is no directory, and parts that lie elsewhere. Nobody syncs or checks what is behind a link. */
async function refuseLinks(gitDir: string): Promise<void> {
  const itself = await lstat(gitDir).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR")
      throw adoptionRefusedError(gitDir, "does not exist; run this on a device that has the directory");
    throw error;
  });
  if (itself.isSymbolicLink())
    throw adoptionRefusedError(gitDir, "is a symbolic link; move the repository itself there");
  if (!itself.isDirectory()) throw adoptionRefusedError(gitDir, "is no directory");
  for (const part of ["HEAD", "config", "refs", "objects", "packed-refs", "reftable"]) {
    const found = await lstat(join(gitDir, part)).catch(() => undefined);
    if (found?.isSymbolicLink())
      throw adoptionRefusedError(gitDir, `has ${part} as a symbolic link; put the file or directory itself there`);
  }
}

/** Throws PREREQUISITE_MISSING when this process may not write a directory of objects or hooks. */
async function assertObjectRights(gitDir: string): Promise<void> {
  const fans = (await namesIn(join(gitDir, "objects"))).filter((name) => /^[0-9a-f]{2}$/.test(name));
  for (const name of ["hooks", ...fans.map((fan) => `objects/${fan}`)]) {
    const path = join(gitDir, name);
    if (!(await exists(path))) continue;
    await access(path, constants.R_OK | constants.W_OK | constants.X_OK).catch((cause: Error) => {
      throw new LockstepError(
        "PREREQUISITE_MISSING",
        `The sidecar lacks rights on ${path} (${cause.message}); give its user the rights to read and write it (chown, chmod).`,
        { cause, details: { path } },
      );
    });
  }
}

/** What each file means for other devices, and what to do about it. */
const IN_THE_WAY: Readonly<Record<string, string>> = {
  shallow: "is a shallow clone, whose history no other device could check; run `git fetch --unshallow` in it",
  "info/grafts": "has grafts (info/grafts), which no other device would follow; remove that file",
  "objects/info/alternates":
    "borrows objects from another directory (objects/info/alternates); run `git repack -a -d` in it, then remove that file",
};

async function refuseParts(gitDir: string): Promise<void> {
  for (const name of await findBeside(gitDir))
    throw adoptionRefusedError(gitDir, IN_THE_WAY[name] ?? `has ${name}, which hides objects`);
  if (await exists(join(gitDir, "objects/info/http-alternates")))
    throw adoptionRefusedError(gitDir, "borrows objects over HTTP (objects/info/http-alternates); fetch them");
  if (await exists(join(gitDir, "commondir")))
    throw adoptionRefusedError(gitDir, "is a part of another repository (a linked work tree); adopt that one");
  const packs = await namesIn(join(gitDir, "objects", "pack"));
  if (packs.some((name) => name.endsWith(".promisor")))
    throw adoptionRefusedError(gitDir, "is a partial clone, which lacks objects; make a whole clone of its source");
}

async function readFormat(context: GitContext, gitDir: string): Promise<"sha1" | "sha256"> {
  const question: LocalArguments = ["rev-parse", "--is-bare-repository", "--show-object-format"];
  const { stdout } = await gitBytes(context, gitDir, question).catch((error: unknown) => {
    throw adoptionRefusedError(gitDir, `cannot be read by git (${describe(error)})`);
  });
  const [bare, format] = stdout.toString().trim().split("\n");
  if (bare !== "true")
    throw adoptionRefusedError(
      gitDir,
      "has a work tree (core.bare is false, or core.worktree is set); make it bare with `git config core.bare true`",
    );
  if (format === "sha1" || format === "sha256") return format;
  throw adoptionRefusedError(gitDir, `has objects of the format ${format}, which Lockstep does not know`);
}

const HOOKS = ["pre-receive", "update", "post-receive", "post-update", "reference-transaction", "push-to-checkout"];

/** Returns notes on the hooks that stay. Refuses a proc-receive hook of another program. */
async function examineHooks(gitDir: string): Promise<string[]> {
  const hooks = join(gitDir, "hooks");
  const path = join(hooks, "proc-receive");
  if ((await exists(path)) && !(await isOurHook(path)))
    throw adoptionRefusedError(
      gitDir,
      "has a proc-receive hook of its own, whose place Lockstep needs; remove that hook",
    );
  const kept: string[] = [];
  for (const name of HOOKS)
    await access(join(hooks, name), constants.X_OK).then(
      () => kept.push(name),
      () => {},
    );
  return kept.length === 0 ? [] : [`Its hooks stay and run as before: ${kept.join(", ")}.`];
}

/** Returns true for a link to the shim of a root, also of a root that was moved. */
export async function isOurHook(path: string): Promise<boolean> {
  return /\/\.lockstep\/bin\/lockstep-git$/.test(await readlink(path).catch(() => ""));
}

async function refuseMissingObjects(
  context: GitContext,
  gitDir: string,
  refs: Refs,
  signal: AbortSignal,
): Promise<void> {
  const ids = objectIds(refs.values());
  if (await isConnected(context, gitDir, ids, [], { signal })) return;
  const here = new Set(await existingObjects(context, gitDir, ids, signal));
  const missing = [...refs]
    .filter(([, value]) => !isSymbolic(value) && !here.has(value as string))
    .map(([name]) => name);
  throw adoptionRefusedError(
    gitDir,
    `lacks objects that its refs need, or has damaged ones${named(missing)}; \`git fsck\` lists them`,
  );
}

function named(names: readonly RefName[]): string {
  return names.length === 0 ? "" : ` (of ${names.slice(0, NAMED).map(displayRef).join(", ")})`;
}
