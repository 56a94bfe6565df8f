// Finds the programs that tests need and this project does not contain.
import { spawnSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { join } from "node:path";

export type Found = { readonly path: string } | { readonly missing: string };

/** Returns the path of the program `name`, or the reason why it is missing. */
export function findProgram(name: string, debianPackage: string): Found {
  const path = places(name).find(isExecutable);
  return path === undefined ? { missing: `${name} is not installed (Debian package ${debianPackage})` } : { path };
}

/** Returns the reason why the git on PATH is older than this version, or undefined if it is not older. */
export function gitIsOlderThan(major: number, minor: number): string | undefined {
  const { stdout } = spawnSync("git", ["version"], { encoding: "utf8" });
  const [found = 0, then = 0] = stdout.replace("git version ", "").split(".").map(Number);
  if (found > major || (found === major && then >= minor)) return undefined;
  return `git is ${stdout.trim().replace("git version ", "")}, not ${major}.${minor} or newer (see CONTRIBUTING.md)`;
}

function places(name: string): string[] {
  const system = ["/usr/sbin", "/usr/local/sbin"];
  return [...(process.env.PATH ?? "").split(":"), ...system].map((dir) => join(dir, name));
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
