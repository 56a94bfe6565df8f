// The names that repositories and devices may have.
import { LockstepError } from "./errors.ts";

const NAME_PART = /^[A-Za-z0-9_][A-Za-z0-9_.+-]*$/;
const NAME_LIMIT = 200;

/**
 * Checks a repository name such as `team/app` and returns it. A name becomes a path below the root and a part of URLs.
 * So its parts are plain words: no `..`, no leading `-` or `.`, no `.git` or `.lock` at the end. Throws INVALID_NAME.
 */
export function repositoryName(name: string): string {
  const refuse = (why: string): never => {
    const shown = JSON.stringify(name.length > 60 ? `${name.slice(0, 60)}…` : name);
    throw new LockstepError("INVALID_NAME", `The repository name ${shown} ${why}; use words like team/app.`);
  };
  if (name.length === 0) refuse("is empty");
  if (name.length > NAME_LIMIT) refuse(`is longer than ${NAME_LIMIT} characters`);
  for (const part of name.split("/")) {
    if (part === "") refuse("has a part that is empty");
    if (/^[.+-]/.test(part)) refuse(`has a part that begins with "${part[0]}"`);
    if (!NAME_PART.test(part)) refuse("holds a character other than A-Z a-z 0-9 _ . + -");
    if (part.includes("..")) refuse('contains ".."');
    if (part.endsWith(".git") || part.endsWith(".lock") || part.endsWith("."))
      refuse('has a part ending in ".git", ".lock" or "."');
  }
  return name;
}

const DEVICE_NAME = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/**
 * Checks a device name and returns it. It is a DNS label, so that it fits certificates and pod names. Throws
 * INVALID_NAME.
 */
export function deviceName(name: string): string {
  if (DEVICE_NAME.test(name)) return name;
  throw new LockstepError(
    "INVALID_NAME",
    `The device name ${JSON.stringify(name.slice(0, 70))} is not a DNS label; use up to 63 of a-z 0-9 and "-", such as repo001.`,
  );
}
