// Makes a replica of a repository that lies on the disk: puts Lockstep's hook and settings into it, and takes them out
// again. A mark beside them says that the adoption is not finished yet, so a crash in between is noticed.
import { chmod, chown, link, lstat, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { isUuid } from "../../domain.ts";
import { LockstepError } from "../../errors.ts";
import { replaceFile, sync, textOf } from "../../io/disk.ts";
import { isOurHook } from "./examine-directory.ts";
import { ensureHook, type ReplicaSettings } from "./repository.ts";

const MARK = "lockstep.adopting";
const INCLUDE = "[include]\n\tpath = lockstep.config\n";

/**
 * Prepares a repository for the settings of a replica, durably: the hook, and a line in its config that includes them.
 * Nothing changes for git before the settings are there (`ensureSettings`). Idempotent. `mark`: until `endAdopting`,
 * `undoTakeIn` may take all of it out again. Throws BEING_ADOPTED when somebody edits the config at this moment.
 */
export async function prepareTakeIn(
  gitDir: string,
  { repositoryId, shim }: ReplicaSettings,
  { mark }: { mark: boolean },
): Promise<void> {
  if (mark) await replaceFile(join(gitDir, MARK), `${repositoryId}\n`);
  await ensureHook(gitDir, shim);
  await editConfig(gitDir, (text) =>
    includesSettings(text) ? text : `${text}${text.endsWith("\n") ? "" : "\n"}${INCLUDE}`,
  );
}

/** Takes hook and settings out of a repository whose adoption was not finished. Nothing else of it has changed. */
export async function undoTakeIn(gitDir: string): Promise<void> {
  for (const name of ["lockstep.config", "lockstep.version"]) await rm(join(gitDir, name), { force: true });
  await editConfig(gitDir, (text) => text.replace(INCLUDE, ""));
  const hooks = join(gitDir, "hooks");
  // A directory of hooks behind a link may serve other replicas.
  const isOwn = await lstat(hooks).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (isOwn && (await isOurHook(join(hooks, "proc-receive")))) await rm(join(hooks, "proc-receive"));
  await rm(join(gitDir, MARK), { force: true });
  await sync(gitDir);
}

/** Returns the id that an unfinished adoption gave to a repository. undefined: none is under way. */
export async function adoptingAs(gitDir: string): Promise<string | undefined> {
  const id = (await textOf(join(gitDir, MARK))).trim();
  return isUuid(id) ? id : undefined;
}

/** Removes the mark: the adoption is finished. */
export async function endAdopting(gitDir: string): Promise<void> {
  await rm(join(gitDir, MARK), { force: true });
  await sync(gitDir);
}

function includesSettings(text: string): boolean {
  return /^\s*path\s*=\s*"?lockstep\.config"?\s*$/m.test(text);
}

/** How often the settings are edited again after somebody else changed them meanwhile. */
const EDITS = 5;

/**
 * Replaces the file "config" under the lock of git, with the same rights and owner. The lock is a link to the new
 * content, so a lock that a killed sidecar has left is recognised.
 */
async function editConfig(gitDir: string, edit: (text: string) => string): Promise<void> {
  const path = join(gitDir, "config");
  for (let edits = EDITS; edits > 0; edits -= 1) {
    // latin1 keeps every byte.
    const text = await readFile(path, "latin1");
    const wanted = edit(text);
    if (wanted === text) return;
    if (await replaceConfig(gitDir, text, wanted)) return;
  }
  throw configLockedError(gitDir);
}

/** Returns false when the file does not have the content `text` any more. */
async function replaceConfig(gitDir: string, text: string, wanted: string): Promise<boolean> {
  const [path, aside] = [join(gitDir, "config"), join(gitDir, "lockstep.config-edit")];
  const lock = `${path}.lock`;
  await dropOwnLock(lock, aside);
  const { mode, uid, gid } = await stat(path);
  await replaceFile(aside, Buffer.from(wanted, "latin1"), mode & 0o777);
  await chmod(aside, mode & 0o777);
  await chown(aside, uid, gid).catch(() => {});
  await link(aside, lock).catch((cause: NodeJS.ErrnoException) => {
    throw cause.code === "EEXIST" ? configLockedError(gitDir, cause) : cause;
  });
  if ((await readFile(path, "latin1")) !== text) {
    await rm(lock);
    return false;
  }
  await rename(lock, path);
  await rm(aside);
  await sync(gitDir);
  return true;
}

async function dropOwnLock(lock: string, aside: string): Promise<void> {
  const [held, own] = await Promise.all([lock, aside].map((each) => stat(each).catch(() => undefined)));
  if (held !== undefined && held.ino === own?.ino) await rm(lock, { force: true });
}

function configLockedError(gitDir: string, cause?: unknown): LockstepError {
  return new LockstepError(
    "BEING_ADOPTED",
    `Another process edits the settings of ${gitDir}, or has died in doing so; try again, or remove its file config.lock.`,
    { cause, details: { path: gitDir } },
  );
}
