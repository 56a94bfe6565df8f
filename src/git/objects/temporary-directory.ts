// A directory inside a repository for as long as some work lasts.
import { closeSync, constants, openSync, readlinkSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";

export interface TemporaryDirectory extends AsyncDisposable {
  /** The path at which it was made. */
  readonly path: string;
}

/** Makes a directory. It is removed wherever it is by then: its repository may be renamed while the work lasts. */
export async function temporaryDirectory(parent: string, prefix: string): Promise<TemporaryDirectory> {
  const path = await mkdtemp(join(parent, prefix));
  const directory = await openOrRemove(path);
  return {
    path,
    async [Symbol.asyncDispose]() {
      const now = pathNow(directory) ?? path;
      closeSync(directory);
      await rm(now, { recursive: true, force: true });
    },
  };
}

async function openOrRemove(path: string): Promise<number> {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
  } catch (error) {
    await rm(path, { recursive: true, force: true });
    throw error;
  }
}

/** Returns the path of an open directory as the kernel knows it. undefined: there is no /proc. */
function pathNow(directory: number): Buffer | undefined {
  try {
    return readlinkSync(`/proc/self/fd/${directory}`, "buffer");
  } catch {
    return undefined;
  }
}
