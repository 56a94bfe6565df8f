// Where the sidecar and its repositories are: what the environment says, else the file that the sidecar writes beside the program in
// its root. Nothing that a client names.
import { readFileSync } from "node:fs";
import { LockstepError } from "../errors.ts";

export interface ShimSettings {
  /** undefined: nobody has said. */
  readonly socketDir: string | undefined;
  readonly root: string | undefined;
}

/** `file` has lines of `name=value`; undefined: there is none. */
export function readSettings(env: NodeJS.ProcessEnv, file: string | undefined): ShimSettings {
  const lines = file === undefined ? [] : contentOf(file).split("\n");
  const value = (name: string) =>
    lines.find((line) => line.startsWith(`${name}=`))?.slice(name.length + 1) || undefined;
  return {
    socketDir: env.LOCKSTEP_SOCKET_DIR || value("socket-dir"),
    root: env.LOCKSTEP_ROOT || value("root"),
  };
}

function contentOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw new LockstepError("SIDECAR_UNAVAILABLE", "the settings of this shim cannot be read; see who owns them.", {
      cause: error,
    });
  }
}
