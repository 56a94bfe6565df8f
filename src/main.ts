#!/usr/bin/env node
import { main } from "./cli/program.ts";
// argv, signals, exit code: the only file that touches `process`.
import { holdAtCrashPoints } from "./crash-points.ts";

const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => {
    // The second time: now.
    if (stop.signal.aborted) process.exit(1);
    stop.abort();
  });
}
// A reader that closed the pipe (head, jq -e) wants no more; that is no error.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(0);
  process.stderr.write(`lockstep: The answer cannot be written (${error.message}); make room where it goes.\n`);
  process.exit(1);
});
// Where nobody reads what went wrong, the exit code still tells.
process.stderr.on("error", () => {});

if (process.env.LOCKSTEP_CRASH_POINTS) holdAtCrashPoints(process.env.LOCKSTEP_CRASH_POINTS);

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
// Told to stop, it ends even where a git of its own waits for a hook that does not end: whoever starts next here sees to both. What failed
// ends whatever it had begun: a sidecar that neither serves nor ends is started again by nobody.
if (stop.signal.aborted || process.exitCode !== 0) process.stdout.write("", () => process.exit());
