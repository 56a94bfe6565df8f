// Runs a program that dies with this process, however this process ends. A shell stands between the two: the standard input
// of its second half, the watch, is a pipe from here, which the kernel closes even after SIGKILL.
//
// - Program and shell are a session of their own: Ctrl-C in a terminal reaches neither.
// - TERM before INT: a shell starts background programs with INT ignored, so until the program has installed its handlers
//   only TERM ends it. For PostgreSQL that is a smart and at once a fast shutdown. CONT is for a program that is stopped.
// - Should the shell's first half be killed, the watch still waits for the pipe, which is then closed from here.
// - Every child has a parent that waits for it: in a container nobody else may, and it would stay as a zombie.
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

/** A user of the operating system by number. */
export interface SystemUser {
  readonly uid: number;
  readonly gid: number;
}

export interface Tethered {
  /** The program's own process id. */
  readonly pid: number;
  /** The exit code (128 + signal after a signal), once the program and everything it started are gone. */
  readonly gone: Promise<number>;
  /** Asks the program to stop, with QUIT when it has not after 10 s. */
  cut(): void;
}

export interface TetherOptions {
  readonly env: Readonly<Record<string, string>>;
  /** Runs as this user; absent: as the user of this process. */
  readonly user?: SystemUser | undefined;
  /** The file descriptor of its standard error. */
  readonly log: number;
}

/**
 * Starts `argv` on a tether; its standard output must carry nothing of use. Throws what the operating system says when no
 * process could be started.
 */
export async function tether(argv: readonly string[], { env, user, log }: TetherOptions): Promise<Tethered> {
  const shell = spawn("/bin/sh", ["-c", TETHER, "sh", ...argv], {
    cwd: "/",
    env,
    detached: true,
    stdio: ["pipe", "pipe", log],
    ...user,
  }) as ChildProcessByStdio<Writable, Readable, null>;
  // The shell may end before the pipe is closed.
  shell.stdin.on("error", () => {});
  shell.once("exit", () => shell.stdin.end());
  // "close" comes when the last process that inherited standard output has ended, later than "exit".
  const gone = new Promise<number>((resolve) => shell.once("close", (code) => resolve(code ?? 128)));
  const pid = await new Promise<number>((resolve, reject) => {
    shell.once("error", reject);
    shell.once("close", () => reject(new Error("the shell ended before it started anything")));
    createInterface({ input: shell.stdout }).once("line", (line) => resolve(Number(line)));
  });
  return { pid, gone, cut: () => void shell.stdin.end() };
}
