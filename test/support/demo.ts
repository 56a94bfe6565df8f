// Starts `lockstep demo --json` as a separate process.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import type { DemoCluster } from "../../src/demo/cluster.ts";
import { PROGRAM } from "./cluster-device.ts";

const PROJECT = fileURLToPath(new URL("../..", import.meta.url));

export interface Demo {
  readonly process: ChildProcess;
  readonly pid: number;
  readonly line: DemoCluster;
  /** Resolves with the whole standard output when the process has ended. */
  readonly stdout: Promise<string>;
  readonly stderr: Promise<string>;
}

/** Starts `lockstep demo --json ARGS` in its own process group, and resolves when it has printed its line. */
export async function startDemo(args: readonly string[], env: Record<string, string>): Promise<Demo> {
  const child = spawn(process.execPath, [PROGRAM, "demo", "--json", ...args], {
    cwd: PROJECT,
    env: { PATH: process.env.PATH ?? "/usr/bin:/bin", ...env },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  const [stdout, stderr] = [text(child.stdout), text(child.stderr)];
  const first = once(createInterface({ input: child.stdout }), "line") as Promise<[string]>;
  const ended = once(child, "exit").then(async ([code]) => {
    throw new Error(`demo ended with ${code}: ${await stderr}`);
  });
  ended.catch(() => {});
  const [line] = await Promise.race([first, ended]);
  const document = JSON.parse(line) as DemoCluster & { error?: unknown };
  // Another test may take a port after the demo chose it. Then the demo is started again.
  if (document.error && /EADDRINUSE/.test(line)) return await startDemo(args, env);
  if (document.error) throw new Error(`demo did not start: ${line}`);
  return { process: child, pid: child.pid!, line: document, stdout, stderr };
}
