// The files that decide which configuration the git server's git reads. Their paths lie in a file of the repository.
// The hook stats each of them, without reading it, and sends a stamp of the results (docs/hook-protocol.md).
import { randomUUID } from "node:crypto";
import { readFile, rename, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";

/** A file in the replica: paths, each ended by a NUL. */
const WATCHED = "lockstep.watched";

/** The hook reads at most this many bytes of the file. If the file is longer, the hook sends no stamp. */
const WATCHED_BYTES = 32_000;

/** The variables that name git's configuration files; empty where one is not set. */
export interface Places {
  readonly home: string;
  readonly xdg: string;
  readonly global: string;
  readonly system: string;
}

interface Entry {
  readonly origin: string;
  readonly key: string;
  readonly value: string | null;
}

/** Returns the files that git reads, or would read if they existed, given the settings that git found. */
export function settingsFiles(gitDir: string, places: Places, entries: readonly Entry[]): string[] {
  const { home, xdg, global, system } = places;
  const files = new Set([join(gitDir, "config"), join(gitDir, "config.worktree")]);
  // The places of Debian's and upstream's git. A git built with another prefix has its own.
  for (const each of system ? [system] : ["/etc/gitconfig", "/usr/local/etc/gitconfig"]) files.add(each);
  if (global) files.add(global);
  else {
    if (home) files.add(join(home, ".gitconfig"));
    if (xdg || home) files.add(join(xdg || join(home, ".config"), "git", "config"));
  }
  for (const { origin, key, value } of entries) {
    const from = origin.startsWith("file:") ? resolve(gitDir, origin.slice("file:".length)) : undefined;
    if (from !== undefined) files.add(from);
    // The file counts even if the condition of the include does not hold now.
    if (value !== null && /^include(if\..*)?\.path$/s.test(key))
      files.add(resolve(from === undefined ? gitDir : dirname(from), value.replace(/^~(?=\/)/, home)));
    if (key.startsWith("includeif.onbranch:")) files.add(join(gitDir, "HEAD"));
  }
  return [...files];
}

/** Makes the hook look at these files from now on, as well as at those in its list. */
export async function watchSettings(gitDir: string, files: readonly string[]): Promise<void> {
  const path = join(gitDir, WATCHED);
  const before = (await readFile(path, "utf8").catch(() => "")).split("\0").filter(Boolean);
  if (files.every((file) => before.includes(file))) return;
  const list = (names: readonly string[]) => [...new Set(names)].map((name) => `${name}\0`).join("");
  const all = list([...before, ...files]);
  // If the list gets too long, it starts again. Files of front ends with other environments return when those push.
  const content = Buffer.byteLength(all) <= WATCHED_BYTES ? all : list(files);
  const aside = `${path}.${randomUUID()}`;
  await writeFile(aside, content);
  await rename(aside, path);
}
