// Runs `lockstep` as a call in the test's own process, and checks the form of its errors.
import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { expect } from "vitest";
import { main } from "../../src/cli/program.ts";
import type { Ended } from "./cluster-device.ts";
import { SOON } from "./soon.ts";

export type Environment = Readonly<Record<string, string>>;

export const EXIT = { OK: 0, FAILED: 1, USAGE: 2, NOT_NOW: 3 };

/** A standard error that is a terminal. `shown` has all text so far. */
export class Terminal extends PassThrough {
  readonly isTTY = true;
  shown = "";

  constructor() {
    super();
    this.on("data", (chunk) => {
      this.shown += chunk;
    });
  }
}

/** Runs `lockstep ARGS` in this process, because a new process would take longer to start than to run. */
export async function runHere(
  args: readonly string[],
  env: Environment = {},
  stderr: PassThrough = new PassThrough(),
): Promise<Ended> {
  const stdout = new PassThrough();
  const printed = [text(stdout), text(stderr)] as const;
  const stream = (to: PassThrough) => to as unknown as NodeJS.WriteStream;
  const code = await main({
    env: { PATH: process.env.PATH ?? "/usr/bin:/bin", ...env },
    argv: args,
    cwd: "/",
    pid: process.pid,
    execPath: process.execPath,
    isRoot: process.getuid?.() === 0,
    stdin: process.stdin,
    stdout: stream(stdout),
    stderr: stream(stderr),
    stop: AbortSignal.timeout(SOON.timeout),
    kill: (pid, signal) => void process.kill(pid, signal),
  });
  stdout.end();
  stderr.end();
  return { code, stdout: await printed[0], stderr: await printed[1] };
}

/** Expects one sentence with all `parts` on standard error, and nothing on standard output. */
export function expectSentence({ stdout, stderr }: Ended, ...parts: (string | RegExp)[]): void {
  expect(stdout).toBe("");
  expect(stderr).toMatch(/^lockstep: ([A-Z"`-]|git )[^\n]*\.\n$/);
  expect(stderr).not.toMatch(/a bug|undefined|\bError:|\[object/);
  for (const part of parts) expect(stderr).toMatch(part);
}
