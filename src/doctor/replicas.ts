// Looks for replicas with which git would read from other directories. The sidecar serves nothing of them.
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { borrowingParts } from "../git/borrowing/borrowing.ts";
import type { Look } from "./finding.ts";

const DEPTH = 6;
/** A look costs some calls of lstat for each replica. */
const LOOKED_AT = 10_000;
const SHOWN = 5;

export const lookAtReplicas: Look = async ({ root }) => {
  if (root === undefined) return "no root to look below";
  const replicas = await replicasBelow(root, LOOKED_AT);
  const found = replicas.flatMap((path) => borrowingParts(path).map((part) => join(path, part)));
  if (found.length === 0) return "none reads from another directory";
  const more = found.length > SHOWN ? " and more" : "";
  return {
    missing: `With ${found.slice(0, SHOWN).join(", ")}${more} git would read from other directories, so these replicas are not served; run \`lockstep verify NAME --full\` on this device, and find out who wrote there.`,
  };
};

/** Walks over the root and returns the paths of the first `most` replicas. */
export async function replicasBelow(root: string, most: number): Promise<string[]> {
  const found: string[] = [];
  const walk = async (directory: string, depth: number): Promise<void> => {
    const entries = await readdir(directory, { withFileTypes: true }).catch(() => []);
    for (const entry of entries) {
      if (found.length >= most) return;
      if (!entry.isDirectory() || entry.name.startsWith(".")) continue;
      const path = join(directory, entry.name);
      if (entry.name.endsWith(".git")) found.push(path);
      else if (depth < DEPTH) await walk(path, depth + 1);
    }
  };
  await walk(root, 0);
  return found;
}
