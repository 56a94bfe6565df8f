// The first frame of a shim: its operation, the directory in which it was started, and its user.
import { realpath } from "node:fs/promises";
import { isAbsolute, relative, resolve } from "node:path";
import { LockstepError } from "../errors.ts";
import type { Frame } from "../framing/frames.ts";
import { repositoryName } from "../names.ts";

/** The path, below the root, of a replica that was moved aside (git/beside/removed.ts). */
const REMOVED = /^\.lockstep\/removed\//;

const OPERATIONS = ["proc-receive", "upload-pack", "receive-pack", "pack-objects"];

/** The contents of the hello frame. */
export interface Hello {
  readonly op: string;
  readonly dir: string;
  readonly env: ReadonlyMap<string, string>;
  /** Only in pack-objects: the command that git gave the hook, a word each. */
  readonly words: readonly string[];
  /** Only in proc-receive: a stamp of the configuration that git reads there. */
  readonly settings: string | undefined;
  /** Only in proc-receive: an id that differs for each push (`pushKey` of the shim). */
  readonly push: string | undefined;
}

/** Reads the first frame. Throws INVALID_REQUEST when it is not a hello of this version. */
export function parseHello({ type, payload }: Frame): Hello {
  const values = new Map<string, string>();
  for (const entry of payload.toString("utf8").split("\0")) {
    const equals = entry.indexOf("=");
    if (equals > 0) values.set(entry.slice(0, equals), entry.slice(equals + 1));
  }
  const op = values.get("op") ?? "";
  const dir = values.get("dir");
  if (type !== "H" || values.get("version") !== "1" || !OPERATIONS.includes(op) || dir === undefined) {
    throw new LockstepError(
      "INVALID_REQUEST",
      "A shim of another version connected; restart the sidecar, which renews the hooks.",
    );
  }
  const env = new Map(
    [...values].filter(([key]) => key.startsWith("env.")).map(([key, value]) => [key.slice(4), value]),
  );
  const push = /^\d+-\d+$/.exec(values.get("push") ?? "")?.[0];
  const words = [...values].filter(([key]) => /^arg\.\d+$/.test(key)).map(([, word]) => word);
  return { op, dir, env, words, settings: values.get("settings"), push };
}

/**
 * Returns the name of the repository in `dir`, which is an absolute path below the root, or a name. Throws
 * INVALID_NAME, and REPOSITORY_NOT_FOUND for a repository that was removed.
 */
export async function nameOf(root: string, dir: string): Promise<string> {
  const below = isAbsolute(dir) ? await pathBelow(root, dir) : dir;
  if (below === undefined || below === "") {
    throw new LockstepError(
      "INVALID_NAME",
      `${JSON.stringify(dir.slice(0, 200))} is no repository of this server; use a name like team/app.`,
    );
  }
  if (REMOVED.test(below))
    throw new LockstepError(
      "REPOSITORY_NOT_FOUND",
      "The repository was removed while this push was under way; nothing was written. `lockstep repo list --removed` shows until when it can be restored.",
    );
  return repositoryName(below.replace(/\/+$/, "").replace(/\.git$/, ""));
}

/**
 * Returns the path of `dir` below the root. The root's path has no symbolic links, but the path that people use may
 * have some.
 */
async function pathBelow(root: string, dir: string): Promise<string | undefined> {
  const below = (path: string) => {
    const found = relative(root, path);
    return found === "" || found.startsWith("..") ? undefined : found;
  };
  // A hook names its directory as the kernel does, so there is nothing to follow.
  return below(resolve(dir)) ?? below(await realpath(dir).catch(() => root));
}
