// Which files decide what the git server's git reads as configuration. Their names are in a file of the repository; the hook looks at
// each of them, without reading it, and sends a stamp of what it saw (docs/hook-protocol.md).
import { randomUUID } from "node:crypto";
import { readFile, rename, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";

/** In a replica: paths, each ended by a NUL. */
const WATCHED = "lockstep.watched";

/** What the hook reads of it at most; without all of it there is no stamp. */
const WATCHED_BYTES = 32_000;

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

/** The files that git reads, or would read if they were there, given the settings that it has found. */
export function settingsFiles(gitDir: string, places: Places, entries: readonly Entry[]): string[] {
  const { home, xdg, global, system } = places;
  const files = new Set([join(gitDir, "config"), join(gitDir, "config.worktree")]);
  // A git that was built with another prefix has its own place; Debian's and upstream's are these.
  for (const each of system ? [system] : ["/etc/gitconfig", "/usr/local/etc/gitconfig"]) files.add(each);
  if (global) files.add(global);
  else {
    if (home) files.add(join(home, ".gitconfig"));
    if (xdg || home) files.add(join(xdg || join(home, ".config"), "git", "config"));
  }
  for (const { origin, key, value } of entries) {
    const from = origin.startsWith("file:") ? resolve(gitDir, origin.slice("file:".length)) : undefined;
    if (from !== undefined) files.add(from);
    // Also of an include whose condition does not hold now.
    if (value !== null && /^include(if\..*)?\.path$/s.test(key))
      files.add(resolve(from === undefined ? gitDir : dirname(from), value.replace(/^~(?=\/)/, home)));
    if (key.startsWith("includeif.onbranch:")) files.add(join(gitDir, "HEAD"));
  }
  return [...files];
}

/** Has the hook look at these files from now on, beside those that it looks at already. */
export async function watchSettings(gitDir: string, files: readonly string[]): Promise<void> {
  const path = join(gitDir, WATCHED);
  const before = (await readFile(path, "utf8").catch(() => "")).split("\0").filter(Boolean);
  if (files.every((file) => before.includes(file))) return;
  const list = (names: readonly string[]) => [...new Set(names)].map((name) => `${name}\0`).join("");
  const all = list([...before, ...files]);
  // What other front ends of another environment read is found again when they push.
  const content = Buffer.byteLength(all) <= WATCHED_BYTES ? all : list(files);
  const aside = `${path}.${randomUUID()}`;
  await writeFile(aside, content);
  await rename(aside, path);
}
