import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";

/**
 * Returns a stamp that changes whenever git's configuration in this repository may have changed; undefined when the
 * sidecar has listed no files. It covers the variables that name or hold configuration, and the listed files. The
 * native program's stamps differ from these.
 */
export function settingsStamp(directory: string, env: NodeJS.ProcessEnv): string | undefined {
  let list: Buffer;
  try {
    list = readFileSync(join(directory, "lockstep.watched"));
  } catch {
    return undefined;
  }
  const variables = Object.entries(env)
    .filter(([name]) => name === "HOME" || name === "XDG_CONFIG_HOME" || name.startsWith("GIT_CONFIG"))
    .map(([name, value]) => `${name}=${value}`)
    .sort();
  const files = list
    .toString("utf8")
    .split("\0")
    .filter(Boolean)
    .map((path) => {
      const found = statSync(path, { throwIfNoEntry: false, bigint: true });
      return found && [found.dev, found.ino, found.size, found.mtimeNs, found.ctimeNs, found.mode].join(" ");
    });
  return createHash("sha256")
    .update(list)
    .update(JSON.stringify([variables, files]))
    .digest("hex");
}
