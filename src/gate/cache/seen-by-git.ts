// Tells whether git would find the same replica and the same settings as before.
import { type BigIntStats, statSync } from "node:fs";
import { join } from "node:path";
import { settingsFiles } from "../../git/settings-watch.ts";

/**
 * Returns a text that changes when another directory lies at the path, or when a file of git's configuration changes.
 * undefined: there is no directory. The files are those of the replica, the user and the system, without files that
 * they include. It waits in place: by way of threads it would take ten times as long.
 */
export function seenByGit(path: string, home: string): string | undefined {
  const places = { home, xdg: "", global: "", system: "" };
  const files = [join(path, "lockstep.config"), ...settingsFiles(path, places, [])];
  const [directory, ...settings] = [path, ...files].map(look);
  return directory && [`${directory.dev} ${directory.ino}`, ...settings.map(stampOf)].join("|");
}

/** undefined: nothing is there. */
function look(path: string): BigIntStats | undefined {
  try {
    return statSync(path, { bigint: true, throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

function stampOf(file: BigIntStats | undefined): string {
  return file === undefined ? "" : [file.dev, file.ino, file.size, file.mtimeNs, file.ctimeNs].join(" ");
}
