// Adopts repositories in the tests of adoptions.
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { type AdoptOptions, adoptRepository } from "../../src/sync/adopt/adopt-repository.ts";
import type { TestDevice } from "./sync-device.ts";

export const APP = "team/app";

export const adopt = (device: TestDevice, name = APP, options: Partial<AdoptOptions> = {}) =>
  adoptRepository(device.context, name, {
    from: undefined,
    dryRun: false,
    author: "olga",
    signal: device.context.signal,
    ...options,
  });

/** Returns everything in a directory with the contents of its files. */
export async function contents(path: string): Promise<Record<string, string>> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const read = await Promise.all(files.map(async (file) => [file.slice(path.length), await readFile(file, "latin1")]));
  return Object.fromEntries(read.sort());
}
