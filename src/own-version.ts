// The version of this program.
import { readFileSync } from "node:fs";
import { PACKAGE_FILE } from "./installation.ts";

/** Returns the version of this program, from package.json. */
export function ownVersion(): string {
  const text = readFileSync(PACKAGE_FILE, "utf8");
  return (JSON.parse(text) as { version: string }).version;
}
