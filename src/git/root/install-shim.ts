// Installs the program behind hooks/proc-receive. It is copied into the root, because the git server may run in another
// container that sees only the repositories.
import { access, chmod, copyFile, mkdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { LockstepError } from "../../errors.ts";
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
  const native = await nativeShim();
  if (native !== undefined) await replaceProgram(native, path);
  else {
    const aside = `${path}.new`;
    const quote = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
    const command = [execPath, NODE_SHIM, "--settings", settingsOf(path)].map(quote).join(" ");
    // git calls the hook through a symbolic link, and the program acts by the name of the link. NODE_OPTIONS may come
    // from a client, so it must not reach this Node.
    await writeFile(aside, `#!/bin/sh\nunset NODE_OPTIONS\nexec ${command} "\${0##*/}" "$@"\n`, { mode: 0o755 });
    await rename(aside, path);
  }
  return { path, native: native !== undefined };
}

/** Puts the native program at `path`, unless it is there already. A process that runs the old one keeps it. */
async function replaceProgram(native: string, path: string): Promise<void> {
  if (await same(native, path)) return;
  const aside = `${path}.new`;
  await copyFile(native, aside);
  await chmod(aside, 0o755);
  await rename(aside, path);
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
  const { root, sharesPacks } = settings;
  await writeSettings(path, settings);
  // The gate and the shims for ssh use the link if it is there.
  const link = join(root, PACKS_HOOK);
  if (native && sharesPacks) await symlink(basename(path), link).catch(unlessItExists);
  else await rm(link, { force: true });
}

async function writeSettings(path: string, settings: Omit<ShimSettings, "sharesPacks">): Promise<void> {
  const { root, socketDir, pushRefs, pushObject, pushMemory } = settings;
  const limits = [`push-refs=${pushRefs}`, `push-object=${pushObject}`, `push-memory=${pushMemory}`];
  const lines = [`socket-dir=${socketDir}`, `root=${root}`, ...limits];
  await replaceFile(settingsOf(path), lines.map((line) => `${line}\n`).join(""), 0o644);
}

/** The names by which a git server calls the native program. */
const PROGRAMS = ["lockstep-shell", "lockstep-upload-pack", "lockstep-receive-pack"];

/**
 * Puts the native program, its names and its settings into a directory, for a git server that has neither Node nor this
 * package. Returns their paths. Throws PREREQUISITE_MISSING where the program was not built.
 */
export async function copyShims(directory: string, settings: Omit<ShimSettings, "sharesPacks">): Promise<string[]> {
  const native = await nativeShim();
  if (native === undefined) {
    throw new LockstepError(
      "PREREQUISITE_MISSING",
      "This build has no native program for this processor; install a C compiler and run `npm run build`.",
    );
  }
  await mkdir(directory, { recursive: true });
  const path = join(directory, "lockstep-git");
  await replaceProgram(native, path);
  await writeSettings(path, settings);
  const links = PROGRAMS.map((name) => join(directory, name));
  for (const link of links) {
    const aside = `${link}.new`;
    await rm(aside, { force: true });
    await symlink(basename(path), aside);
    await rename(aside, link);
  }
  return [path, ...links];
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
