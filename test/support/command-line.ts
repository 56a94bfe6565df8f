// `lockstep` as a call in the test's own process, and what holds for all that it says.
import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { expect } from "vitest";
import { main } from "../../src/cli/program.ts";
import type { Ended } from "./cluster-device.ts";

export type Environment = Readonly<Record<string, string>>;

export const EXIT = { OK: 0, FAILED: 1, USAGE: 2, NOT_NOW: 3 };

/** Standard error of somebody at a terminal, who has seen `shown` so far. */
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

/** `lockstep ARGS` without a process of its own, which takes longer to start than these take to refuse. */
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
    stop: AbortSignal.timeout(10_000),
    kill: (pid, signal) => void process.kill(pid, signal),
  });
  stdout.end();
  stderr.end();
  return { code, stdout: await printed[0], stderr: await printed[1] };
}

/** One sentence for a person on standard error and nothing on standard output: what, why, what to do. */
export function expectSentence({ stdout, stderr }: Ended, ...parts: (string | RegExp)[]): void {
  expect(stdout).toBe("");
  expect(stderr).toMatch(/^lockstep: ([A-Z"`-]|git )[^\n]*\.\n$/);
  expect(stderr).not.toMatch(/a bug|undefined|\bError:|\[object/);
  for (const part of parts) expect(stderr).toMatch(part);
}
