// A small file system of its own for the repositories of a device, which can be filled without harm to anyone else. Root only.
import { execFile } from "node:child_process";
import { mkdir, rm, statfs } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const SIZE = "size=512m";
const FILLING = "filling";

/** False where this user may not mount. */
export async function mountSmallDisk(path: string): Promise<boolean> {
  await mkdir(path, { recursive: true });
  return await run("mount", ["-t", "tmpfs", "-o", SIZE, "lockstep-torture", path]).then(
    () => true,
    () => false,
  );
}

/** Whoever still works there is about to end. */
export async function unmount(path: string): Promise<void> {
  await run("umount", ["--lazy", path]);
}

/** Takes all the room there is. Returns how many megabytes that were. */
export async function fill(path: string): Promise<number> {
  const { bavail, bsize } = await statfs(path);
  await run("fallocate", ["--length", String(bavail * bsize), join(path, FILLING)]).catch(() => {});
  return Math.round((bavail * bsize) / 2 ** 20);
}

export async function drain(path: string): Promise<void> {
  await rm(join(path, FILLING), { force: true });
}
