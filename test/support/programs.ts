// Programs that a test runs and this project does not bring along.
import { spawnSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { join } from "node:path";

export type Found = { readonly path: string } | { readonly missing: string };

/**
 * The path of `name`, or the reason why there is none. Where CI runs as root its Debian package is installed; anywhere else the
 * machine is left as it is.
 */
export function findProgram(name: string, debianPackage: string): Found {
  const found = places(name).find(isExecutable);
  if (found !== undefined) return { path: found };
  if (process.env.CI !== "true" || process.getuid?.() !== 0)
    return { missing: `${name} is not installed (Debian package ${debianPackage})` };
  // In run level 1 a package does not start its service.
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive", RUNLEVEL: "1" };
  const options = ["install", "-y", "--no-install-recommends", debianPackage];
  const { status, stderr } = spawnSync("apt-get", options, { env, encoding: "utf8" });
  const installed = places(name).find(isExecutable);
  if (installed !== undefined) return { path: installed };
  return { missing: `apt-get install ${debianPackage} ended with ${status}: ${stderr?.trim()}` };
}

/** Why the git on PATH will not do where one from this version on is needed; undefined: it will. */
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
