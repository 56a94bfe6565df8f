// The program that shares the packs of clients who ask for the same (docs/hook-protocol.md).
import { access, constants } from "node:fs/promises";
import { join } from "node:path";
import { PACKS_HOOK } from "../../installation.ts";

/** Returns the program for git's uploadpack.packObjectsHook, or undefined where the sidecar has installed none. */
export async function findPacksHook(root: string): Promise<string | undefined> {
  const path = join(root, PACKS_HOOK);
  return await access(path, constants.X_OK).then(
    () => path,
    () => undefined,
  );
}
