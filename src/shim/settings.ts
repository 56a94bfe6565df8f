// The places of the sidecar and its repositories. They come from the environment, else from the file that the sidecar
// writes beside the program in its root. A client cannot set them.
import { readFileSync } from "node:fs";
import { LockstepError } from "../errors.ts";

/** The places that the shim has to know. */
export interface ShimSettings {
  /** undefined: neither source names it. */
  readonly socketDir: string | undefined;
  readonly root: string | undefined;
  /** How many refs a push that a client starts may change. */
  readonly pushRefs?: string | undefined;
  /** Every object of such a push must be smaller than so many MiB; 0: any size. */
  readonly pushObject?: string | undefined;
  /** How much memory each git of such a push may use, in MiB; 0: no limit. */
  readonly pushMemory?: string | undefined;
}

/** Reads the settings. `file` has lines of `name=value`; undefined: there is no file. */
export function readSettings(env: NodeJS.ProcessEnv, file: string | undefined): ShimSettings {
  const lines = file === undefined ? [] : contentOf(file).split("\n");
  const value = (name: string) =>
    lines.find((line) => line.startsWith(`${name}=`))?.slice(name.length + 1) || undefined;
  return {
    socketDir: env.LOCKSTEP_SOCKET_DIR || value("socket-dir"),
    root: env.LOCKSTEP_ROOT || value("root"),
    pushRefs: env.LOCKSTEP_PUSH_REFS || value("push-refs"),
    pushObject: env.LOCKSTEP_PUSH_OBJECT || value("push-object"),
    pushMemory: env.LOCKSTEP_PUSH_MEMORY || value("push-memory"),
  };
}

function contentOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw new LockstepError("SIDECAR_UNAVAILABLE", "the settings of this shim cannot be read; check who owns them.", {
      cause: error,
    });
  }
}
