// The program behind hooks/proc-receive. It is copied into the root, because the git server may run in another container that sees
// nothing of ours but the repositories.
import { access, chmod, copyFile, mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { replaceFile } from "../../io/disk.ts";
import { STATE_DIR } from "./root-record.ts";

const NATIVE = fileURLToPath(new URL("../../native/lockstep-git", import.meta.url));
const SCRIPT = fileURLToPath(new URL("../../shim/main.js", import.meta.url));

export interface Shim {
  /** What hooks point to. */
  readonly path: string;
  /** False: the Node program, which costs every push the start of Node. */
  readonly native: boolean;
}

/** The path of the native program, or undefined where the build found no C compiler. */
export async function nativeShim(): Promise<string | undefined> {
  return await access(NATIVE).then(
    () => NATIVE,
    () => undefined,
  );
}

/** Puts the shim into the root, unless it is there. Safe while hooks run: the file is replaced, not rewritten. */
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
    const command = [execPath, SCRIPT, "--settings", settingsOf(path)].map(quote).join(" ");
    // Git calls the hook by a symbolic link; the name of the link says what to be. What a client may have put into NODE_OPTIONS is
    // not for this Node.
    await writeFile(aside, `#!/bin/sh\nunset NODE_OPTIONS\nexec ${command} "\${0##*/}" "$@"\n`, { mode: 0o755 });
    await rename(aside, path);
  }
  return { path, native: native !== undefined };
}

/**
 * Tells the shim, in a file beside it, where the sidecar listens and which repositories are its own. Only the sidecar that has the
 * root's lock may: one that is refused would lead pushes to where nobody listens.
 */
export async function tellShim({ path }: Shim, settings: { root: string; socketDir: string }): Promise<void> {
  await replaceFile(settingsOf(path), `socket-dir=${settings.socketDir}\nroot=${settings.root}\n`, 0o644);
}

function settingsOf(path: string): string {
  return `${path}.settings`;
}

/** The command that locks an inherited descriptor: the native program, else util-linux. */
export function lockCommand(shim: Shim): string[] {
  return shim.native ? [shim.path, "flock"] : ["flock", "-n"];
}

async function same(a: string, b: string): Promise<boolean> {
  const [left, right] = await Promise.all([readFile(a), readFile(b).catch(() => undefined)]);
  return right !== undefined && left.equals(right);
}
