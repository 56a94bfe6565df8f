// Makes git hang before its first byte, as on a disk that does not answer. Each device finds `git` in a directory of
// its own, as a link to the real git. For a while a script takes the place of the link. The script stops itself if git
// is to run one of certain commands.
import { execFileSync } from "node:child_process";
import { mkdir, readFile, rename, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { processesOf } from "../support/processes.ts";
import type { Make } from "./fault-context.ts";

const REAL = execFileSync("sh", ["-c", "command -v git"], { encoding: "utf8" }).trim();
const COMMANDS = [
  "pack-objects",
  "index-pack",
  "update-ref",
  "for-each-ref",
  "rev-list",
  "cat-file",
  "receive-pack",
  "upload-pack",
];
/** The percentage of cases in which the hung git never continues and is killed in the end. */
const KILLED = 30;

/** Makes the directory, which must be the first one in PATH. */
export async function makeGitDirectory(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  await symlink(REAL, join(directory, "git"));
}

export const hangGit: Make = async (_, { lasts, choice }, { host }) => {
  const drawn = Math.floor(choice * 10_000);
  const command = COMMANDS[drawn % COMMANDS.length]!;
  const git = join(host.gitDirectory, "git");
  const script = `#!/bin/sh\ncase " $* " in *" ${command} "*) kill -STOP $$ ;; esac\nexec ${REAL} "$@"\n`;
  await writeFile(`${git}.new`, script, { mode: 0o755 });
  await rename(`${git}.new`, git);
  await delay(lasts);
  await symlink(REAL, `${git}.new`);
  await rename(`${git}.new`, git);
  const signal = Math.floor(drawn / COMMANDS.length) % 100 < KILLED ? "SIGKILL" : "SIGCONT";
  const hung = await hungAt(git);
  for (const pid of hung) {
    try {
      process.kill(pid, signal);
    } catch {
      // The process has ended meanwhile.
    }
  }
  return hung.length === 0 ? `no ${command} hung in the end` : `${hung.length} ${command}, ${signal}`;
};

async function hungAt(git: string): Promise<number[]> {
  const hung: number[] = [];
  for (const { pid, command } of await processesOf(git)) {
    const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
    if (command.startsWith(`/bin/sh ${git} `) && /^State:\s+T/m.test(status)) hung.push(pid);
  }
  return hung;
}
