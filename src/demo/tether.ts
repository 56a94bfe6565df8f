// Runs a program that ends with this process, however this process ends. A shell starts the program and a second shell,
// the watch. The standard input of the watch is a pipe from this process. The kernel closes the pipe even after
// SIGKILL, and the watch then stops the program.
//
// - Program and shell have a session of their own, so Ctrl-C in a terminal reaches neither.
// - The watch sends TERM before INT. A shell starts background programs with INT ignored, so only TERM ends a program
//   that has no handlers yet. For PostgreSQL, TERM asks for a smart shutdown and INT for a fast one. CONT wakes a
//   program that is stopped.
// - If the first shell is killed, this process closes the pipe, and the watch still stops the program.
// - Every child has a parent that waits for it. In a container without a process that reaps orphans, it would stay as a
//   zombie.
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";

const TETHER = `
exec 3<&0
"$@" </dev/null 3<&- &
program=$!
echo "$program"
{
  read -r _ <&3
  for signal in TERM INT CONT; do kill -s "$signal" "$program"; done
  trap 'kill "$!"; wait; exit' TERM
  sleep 10 &
  wait "$!"
  kill -s QUIT "$program"
} >/dev/null 2>&1 &
watch=$!
exec 3<&-
wait "$program"
code=$?
{ kill "$watch"; wait "$watch"; } 2>/dev/null
exit "$code"`;

/** A user of the operating system, by the numbers of user and group. */
export interface SystemUser {
  readonly uid: number;
  readonly gid: number;
}

export interface Tethered {
  /** The process id of the program. */
  readonly pid: number;
  /** Resolves to the exit code (128 + signal after a signal) when the program and all its children have ended. */
  readonly gone: Promise<number>;
  /** Stops the program. If it has not ended after 10 s, it gets QUIT. */
  cut(): void;
}

export interface TetherOptions {
  readonly env: Readonly<Record<string, string>>;
  /** The user that runs the program; undefined means the user of this process. */
  readonly user?: SystemUser | undefined;
  /** The file descriptor for the standard error of the program. */
  readonly log: number;
}

/**
 * Starts `argv` on a tether. The standard output of the program is lost. Throws the operating system's error if no
 * process can be started.
 */
export async function tether(argv: readonly string[], { env, user, log }: TetherOptions): Promise<Tethered> {
  const shell = spawn("/bin/sh", ["-c", TETHER, "sh", ...argv], {
    cwd: "/",
    env,
    detached: true,
    stdio: ["pipe", "pipe", log],
    ...user,
  }) as ChildProcessByStdio<Writable, Readable, null>;
  // The shell may end before we close the pipe, which then gives an error.
  shell.stdin.on("error", () => {});
  shell.once("exit", () => shell.stdin.end());
  // "close" comes later than "exit": when the last process that inherited standard output has ended.
  const gone = new Promise<number>((resolve) => shell.once("close", (code) => resolve(code ?? 128)));
  const pid = await new Promise<number>((resolve, reject) => {
    shell.once("error", reject);
    shell.once("close", () => reject(new Error("the shell ended before it started anything")));
    createInterface({ input: shell.stdout }).once("line", (line) => resolve(Number(line)));
  });
  return { pid, gone, cut: () => void shell.stdin.end() };
}
