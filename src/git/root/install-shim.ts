// Installs the program behind hooks/proc-receive. It is copied into the root, because the git server may run in another
// container that sees only the repositories.
import { access, chmod, copyFile, mkdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { NATIVE_SHIM, NODE_SHIM, PACKS_HOOK } from "../../installation.ts";
import { replaceFile } from "../../io/disk.ts";
import { STATE_DIR } from "./root-record.ts";

/** The installed program that the hooks start. */
export interface Shim {
  /** The target of the hooks' links. */
  readonly path: string;
  /** False: the shim is the Node program, so every push starts Node. */
  readonly native: boolean;
}

/** Returns the path of the native program, or undefined when the build found no C compiler. */
export async function nativeShim(): Promise<string | undefined> {
  return await access(NATIVE_SHIM).then(
    () => NATIVE_SHIM,
    () => undefined,
  );
}

/**
 * Installs the shim in the root, or replaces it when it differs. Safe while hooks run: the file is replaced, not
 * rewritten.
 */
export async function installShim(root: string, execPath: string): Promise<Shim> {
  const directory = join(root, STATE_DIR, "bin");
  await mkdir(directory, { recursive: true });
  const path = join(directory, "lockstep-git");
  const aside = `${path}.new`;
  const native = await nativeShim();
  if (native !== undefined) {
    if (!(await same(native, path))) {
      await copyFile(native, aside);
      await chmod(aside, 0o755);
      await rename(aside, path);
    }
  } else {
    const quote = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
    const command = [execPath, NODE_SHIM, "--settings", settingsOf(path)].map(quote).join(" ");
    // git calls the hook through a symbolic link, and the program acts by the name of the link. NODE_OPTIONS may come
    // from a client, so it must not reach this Node.
    await writeFile(aside, `#!/bin/sh\nunset NODE_OPTIONS\nexec ${command} "\${0##*/}" "$@"\n`, { mode: 0o755 });
    await rename(aside, path);
  }
  return { path, native: native !== undefined };
}

/** What the shim has to know of the sidecar. */
export interface ShimSettings {
  readonly root: string;
  readonly socketDir: string;
  /** How many refs a push over ssh may change; 0: any number. */
  readonly pushRefs: number;
  /** Every object of such a push must be smaller than so many MiB; 0: any size. */
  readonly pushObject: number;
  /** The memory of each git of such a push, in MiB; 0: no limit. */
  readonly pushMemory: number;
  /** Whether clients who ask for the same pack share one. */
  readonly sharesPacks: boolean;
}

/**
 * Writes the settings into a file beside the shim. Only the sidecar that holds the root's
 * lock may do so: a refused sidecar would lead pushes to a socket where nobody listens.
 */
export async function tellShim({ path, native }: Shim, settings: ShimSettings): Promise<void> {
  const { root, socketDir, pushRefs, pushObject, pushMemory, sharesPacks } = settings;
  const limits = [`push-refs=${pushRefs}`, `push-object=${pushObject}`, `push-memory=${pushMemory}`];
  const lines = [`socket-dir=${socketDir}`, `root=${root}`, ...limits];
  await replaceFile(settingsOf(path), lines.map((line) => `${line}\n`).join(""), 0o644);
  // The gate and the shims for ssh use the link if it is there.
  const link = join(root, PACKS_HOOK);
  if (native && sharesPacks) await symlink(basename(path), link).catch(unlessItExists);
  else await rm(link, { force: true });
}

function unlessItExists(error: NodeJS.ErrnoException): void {
  if (error.code !== "EEXIST") throw error;
}

function settingsOf(path: string): string {
  return `${path}.settings`;
}

/** Returns the command that locks an inherited descriptor: the native program, else that of util-linux. */
export function lockCommand(shim: Shim): string[] {
  return shim.native ? [shim.path, "flock"] : ["flock", "-n"];
}

async function same(a: string, b: string): Promise<boolean> {
  const [left, right] = await Promise.all([readFile(a), readFile(b).catch(() => undefined)]);
  return right !== undefined && left.equals(right);
}
