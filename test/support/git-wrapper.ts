// A program in the place of git that notes each command, and that a test can make fail.
import { rename, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** Writes the program `bin/git`. It appends its arguments to `bin/log`, runs lines of sh, and becomes the real git. */
export async function writeGitWrapper(bin: string, script: string): Promise<void> {
  const path = join(bin, "git");
  const lines = [
    "#!/bin/sh",
    `PATH='${process.env.PATH}'`,
    `printf "%s\\n" "$*" >> '${join(bin, "log")}'`,
    script,
    'exec git "$@"',
  ];
  // The file is replaced as a whole, because a shell may be reading it.
  await writeFile(`${path}.new`, `${lines.join("\n")}\n`, { mode: 0o755 });
  await rename(`${path}.new`, path);
}
