// Tells whether git would find the same replica and the same settings as before.
import type { BigIntStats } from "node:fs";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { settingsFiles } from "../../git/settings-watch.ts";

/**
 * Returns a text that changes when another directory lies at the path, or when a file of git's configuration changes.
 * undefined: there is no directory. The files are those of the replica, the user and the system, without files that
 * they include.
 */
export async function seenByGit(path: string, home: string): Promise<string | undefined> {
  const places = { home, xdg: "", global: "", system: "" };
  const files = [join(path, "lockstep.config"), ...settingsFiles(path, places, [])];
  const [directory, ...settings] = await Promise.all([path, ...files].map(look));
  return directory && [`${directory.dev} ${directory.ino}`, ...settings.map(stampOf)].join("|");
}

async function look(path: string): Promise<BigIntStats | undefined> {
  return await stat(path, { bigint: true }).catch(() => undefined);
}

function stampOf(file: BigIntStats | undefined): string {
  return file === undefined ? "" : [file.dev, file.ino, file.size, file.mtimeNs, file.ctimeNs].join(" ");
}
