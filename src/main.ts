#!/usr/bin/env node
import { main } from "./cli/program.ts";
// The only file that uses `process`: arguments, signals and the exit code.
import { holdAtCrashPoints } from "./crash-points.ts";
import { shortenWaits } from "./waits.ts";

const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => {
    // The second signal ends the process at once.
    if (stop.signal.aborted) process.exit(1);
    stop.abort();
  });
}
// If the reader has closed the pipe (head, jq -e), it wants no more output. That is no error.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(0);
  process.stderr.write(`lockstep: The answer cannot be written (${error.message}); make room where it goes.\n`);
  process.exit(1);
});
// If nobody can read standard error, the exit code still tells of the failure.
process.stderr.on("error", () => {});

// Both are for tests only.
if (process.env.LOCKSTEP_CRASH_POINTS) holdAtCrashPoints(process.env.LOCKSTEP_CRASH_POINTS);
if (process.env.LOCKSTEP_WAITS_FACTOR) shortenWaits(Number(process.env.LOCKSTEP_WAITS_FACTOR));

process.exitCode = await main({
  env: process.env,
  argv: process.argv.slice(2),
  cwd: process.cwd(),
  pid: process.pid,
  execPath: process.execPath,
  isRoot: process.getuid?.() === 0,
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  stop: stop.signal,
  kill: (pid, signal) => void process.kill(pid, signal),
});
// After a stop signal the process ends even while a git that it started waits for a hook. The next sidecar on this root
// deals with that git. After a failure the process ends too: no supervisor restarts a sidecar that neither serves nor
// ends.
if (stop.signal.aborted || process.exitCode !== 0) process.stdout.write("", () => process.exit());
