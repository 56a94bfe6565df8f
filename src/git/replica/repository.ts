// A replica on disk: an ordinary bare repository with one hook, and with a settings file of Lockstep that its config
// includes.
import { lstat, mkdir, readFile, readlink, rename, rm, stat, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { isUuid, type RefFormat } from "../../domain.ts";
import { describe, LockstepError } from "../../errors.ts";
import { makeDirectoryBelow, replaceFile, sync, syncTree, textOf, unlessFault } from "../../io/disk.ts";
import { isGitsRefusal } from "../git-error.ts";
import { type GitContext, gitBytes } from "../process.ts";
import { readReplicaRecord } from "../root/root-record.ts";
import { initBare } from "./init-bare.ts";

/** The values that go into a replica's settings and hook. */
export interface ReplicaSettings {
  readonly repositoryId: string;
  readonly socketDir: string;
  /** The target of the link hooks/proc-receive. */
  readonly shim: string;
}

const SETTINGS_FILE = "lockstep.config";

/**
 * Returns the content of the settings file. With it all pushes go through proc-receive, git packs and prunes nothing by
 * itself, and git syncs every object and ref. refs/lockstep/ is hidden from clients. Without the sidecar a push fails;
 * it never bypasses the sidecar.
 *
 * alternateRefsCommand: during a push git looks at all refs twice, the second time as refs of the quarantine's
 * alternate, which is the repository itself. This setting saves the second look.
 *
 * maxInputSize: a push has at most 2 GiB.
 *
 * fsckObjects: git refuses malformed objects, such as a tree with an entry `.git` or a `.gitmodules` that attacks old
 * clients. The three faults below are harmless, and the history of many old repositories has them.
 *
 * useReplaceRefs: everybody who may push can push replacement refs. With those a front end's git would accept and serve
 * an incomplete commit, and no other device could follow. The setting is only the first line: the sidecar itself checks
 * that a write is whole (whole-updates.ts).
 */
function settings({ repositoryId, socketDir }: ReplicaSettings): string {
  const quoted = socketDir.replace(/["\\]/g, "\\$&");
  return `# Written by Lockstep at every start; settings of your own belong into the file "config".
[lockstep]
	repositoryId = ${repositoryId}
	socketDir = "${quoted}"
[core]
	fsync = all
	alternateRefsCommand = true
	useReplaceRefs = false
[receive]
	procReceiveRefs = refs/
	unpackLimit = 1
	autogc = false
	advertisePushOptions = true
	maxInputSize = 2g
	fsckObjects = true
	shallowUpdate = false
[receive "fsck"]
	badTimezone = ignore
	missingSpaceBeforeDate = ignore
	zeroPaddedFilemode = ignore
[transfer]
	hideRefs = refs/lockstep
[gc]
	auto = 0
	pruneExpire = 14.days.ago
[maintenance]
	auto = false
`;
}

/**
 * Returns "absent" when nothing is at `gitDir`, "replica" when it is a replica of the repository. Throws
 * NOT_A_REPOSITORY otherwise. If it is a replica of another repository, `details.repositoryId` names that one.
 */
export async function inspect(
  context: GitContext,
  gitDir: string,
  repositoryId: string,
): Promise<"absent" | "replica"> {
  for (let looked = 1; ; looked += 1) {
    const before = await directoryAt(gitDir);
    try {
      return await inspectOnce(context, gitDir, repositoryId);
    } catch (error) {
      // Another replica may take or leave this place meanwhile. Then the finding is about no directory at all.
      if (looked === LOOKS || (await directoryAt(gitDir)) === before) throw error;
    }
  }
}

/** How often a place is looked at while directories come and go there. */
const LOOKS = 5;

/** Returns which directory lies at a path; undefined when there is none. */
async function directoryAt(path: string): Promise<string | undefined> {
  const found = await lstat(path, { bigint: true }).catch(() => undefined);
  return found && `${found.dev} ${found.ino}`;
}

async function inspectOnce(context: GitContext, gitDir: string, repositoryId: string): Promise<"absent" | "replica"> {
  try {
    await lstat(gitDir);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return "absent";
    if (code !== "ENOTDIR" && code !== "EACCES") throw error;
    throw new LockstepError(
      "NOT_A_REPOSITORY",
      `The sidecar cannot reach ${gitDir} (${message}); move away the file in its path, or give the sidecar's user access.`,
      { cause: error, details: { path: gitDir } },
    );
  }
  const refuse = (what: string, repositoryId?: string): never => {
    throw new LockstepError(
      "NOT_A_REPOSITORY",
      `${gitDir} exists but ${what}; move it away, and the sidecar makes the replica anew from the other devices.`,
      { details: { path: gitDir, what, ...(repositoryId && { repositoryId }) } },
    );
  };
  const id = (await settingsOwner(gitDir)) ?? ((await wasReplica(gitDir, repositoryId)) ? repositoryId : undefined);
  const failure = await whyNoRepository(context, gitDir);
  const extension = /unknown repository extension[^:]*:\s*(\w+)/.exec(failure)?.[1];
  if (extension !== undefined) {
    throw new LockstepError(
      "PREREQUISITE_MISSING",
      `${gitDir} was made by a newer git than the one here, which does not know its ${extension}; install that git again.`,
      { details: { path: gitDir } },
    );
  }
  if (/bad config|bad numeric config|bad boolean config|unable to parse/.test(failure)) {
    throw new LockstepError(
      "PREREQUISITE_MISSING",
      `git cannot read the settings of ${gitDir} (${failure.slice(0, 300)}); correct its file "config".`,
      { details: { path: gitDir } },
    );
  }
  if (failure !== "") refuse("is not a git repository");
  if (id === undefined) refuse("is not a replica made by Lockstep");
  if (id !== repositoryId) refuse("is a replica of another repository", isUuid(id ?? "") ? id : undefined);
  return "replica";
}

/** Returns why git takes the directory for no repository; empty: it takes it for one. Throws if git could not look. */
async function whyNoRepository(context: GitContext, gitDir: string): Promise<string> {
  // git cannot start in a file, or where a link leads nowhere.
  if (!(await stat(gitDir).catch(unlessFault))?.isDirectory()) return "it is no directory";
  try {
    await gitBytes(context, gitDir, ["rev-parse", "--git-dir"]);
    return "";
  } catch (error) {
    if (isGitsRefusal(error)) return describe(error);
    throw error;
  }
}

/**
 * Makes an empty replica aside, durably, and returns its path. The caller moves it to its place. So a crash leaves all
 * of it there, or nothing.
 */
export async function makeReplica(
  context: GitContext,
  scratchDir: string,
  replica: ReplicaSettings & { objectFormat: "sha1" | "sha256"; refFormat: RefFormat },
): Promise<string> {
  const aside = join(scratchDir, `new-${replica.repositoryId}`);
  await writeFile(join(aside, "config"), await initialConfig(context, aside, replica.objectFormat, replica.refFormat));
  await ensureSettings(aside, replica);
  await syncTree(aside);
  return aside;
}

/** Makes an empty repository at `path`, and returns the content for its `config`. */
export async function initialConfig(
  context: GitContext,
  path: string,
  objectFormat: "sha1" | "sha256",
  refFormat: RefFormat,
): Promise<string> {
  await rm(path, { recursive: true, force: true });
  await mkdir(path, { recursive: true });
  await initBare(context, path, objectFormat, refFormat);
  return `${await readFile(join(path, "config"), "utf8")}[include]\n\tpath = ${SETTINGS_FILE}\n`;
}

/** Returns true when `gitDir`, whole or not, was a replica of the repository, by its settings or its version record. */
export async function wasReplica(gitDir: string, repositoryId: string): Promise<boolean> {
  const id = await settingsOwner(gitDir);
  return (id ?? (await readReplicaRecord(gitDir))?.repositoryId) === repositoryId;
}

/**
 * Returns the id of the repository of which a directory has the settings of a replica. undefined: it has none. Throws
 * what `unlessFault` throws.
 */
export async function settingsOwner(gitDir: string): Promise<string | undefined> {
  const written = await textOf(join(gitDir, SETTINGS_FILE));
  return /^\trepositoryId = (.*)$/m.exec(written)?.[1];
}

/** Brings the settings and the hook of a replica up to date, durably. Writes nothing when they are. */
export async function ensureSettings(gitDir: string, replica: ReplicaSettings): Promise<void> {
  const path = join(gitDir, SETTINGS_FILE);
  const wanted = settings(replica);
  if ((await readFile(path, "utf8").catch(() => "")) !== wanted) {
    await replaceFile(path, wanted);
  }
  await ensureHook(gitDir, replica.shim);
}

/** Makes the hook a link to the shim, durably. Without the settings git does not run it. */
export async function ensureHook(gitDir: string, shim: string): Promise<void> {
  const hook = join(gitDir, "hooks", "proc-receive");
  if ((await readlink(hook).catch(() => "")) === shim) return;
  await makeDirectoryBelow(gitDir, "hooks");
  await rm(`${hook}.new`, { force: true });
  await symlink(shim, `${hook}.new`);
  await rename(`${hook}.new`, hook);
  await sync(dirname(hook));
}
