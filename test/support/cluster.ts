// A cluster as an outsider has it: the one line of `demo --json`, stock git, and processes that can be killed and started
// again. Disposal stops everything and throws when a process is left.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import type { DemoCluster } from "../../src/demo/cluster.ts";
import { Device, PATIENCE, PROGRAM } from "./cluster-device.ts";
import { createDatabase } from "./database.ts";
import { type GitSandbox, gitSandbox } from "./git.ts";
import { isAlive, processesOf, untilGone } from "./processes.ts";

const PROJECT = fileURLToPath(new URL("../..", import.meta.url));
/** Until what a stopped process had started may still be ending. */
const LAST_BREATH_MS = 2_000;

export interface Demo {
  readonly process: ChildProcess;
  readonly pid: number;
  readonly line: DemoCluster;
  /** Everything that came on standard output, once it has ended. */
  readonly stdout: Promise<string>;
  readonly stderr: Promise<string>;
}

/** Starts `lockstep demo --json ARGS` in a process group of its own, and resolves with its line. */
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
  return { process: child, pid: child.pid!, line: JSON.parse(line) as DemoCluster, stdout, stderr };
}

export interface Cluster extends AsyncDisposable {
  readonly demo: Demo;
  readonly dir: string;
  readonly databaseUrl: string;
  readonly devices: readonly Device[];
  /** Stock git of somebody else. */
  readonly git: GitSandbox;
  /** An empty repository with a name of its own, on every device. */
  createRepository(): Promise<string>;
}

export interface ClusterOptions {
  /** The way to the database that the devices are given, if it is not the straight one. */
  readonly via?: (databaseUrl: string) => Promise<string>;
  readonly refFormat?: "files" | "reftable";
}

/** Starts three devices and their gates on an empty database. */
export async function startCluster({ via, refFormat = "files" }: ClusterOptions = {}): Promise<Cluster> {
  const database = await createDatabase();
  const git = await gitSandbox();
  // Short: a unix socket takes a path of 107 bytes.
  const dir = await mkdtemp(join(tmpdir(), "ls-"));
  const cleanUp = async () => {
    const left = await processesLeft(dir);
    await rm(dir, { recursive: true, force: true, maxRetries: 3 });
    await git[Symbol.asyncDispose]();
    await database[Symbol.asyncDispose]();
    if (left.length > 0) throw new Error(`The cluster left processes behind: ${left.join("; ")}.`);
  };
  const databaseUrl = via ? await via(database.url) : database.url;
  const started = startDemo(["--dir", dir, "--ref-format", refFormat], { LOCKSTEP_DATABASE_URL: databaseUrl });
  const demo = await started.catch(async (error: unknown) => {
    await cleanUp();
    throw error;
  });
  const devices = demo.line.devices.map((device) => new Device(device));
  let repositories = 0;
  return {
    demo,
    dir,
    databaseUrl: database.url,
    devices,
    git,
    async createRepository() {
      repositories += 1;
      const repository = `team/app-${repositories}`;
      await devices[0]!.call("CreateRepository", { repository }, PATIENCE);
      return repository;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(devices.map((device) => device.stop()));
      if (isAlive(demo.pid)) demo.process.kill("SIGINT");
      await untilGone(demo.pid);
      await cleanUp();
    },
  };
}

/** What still runs for `dir`; killed, so that one leak is not reported by every test that follows. */
async function processesLeft(dir: string): Promise<string[]> {
  const deadline = Date.now() + LAST_BREATH_MS;
  let left = await processesOf(dir);
  while (left.length > 0 && Date.now() < deadline) left = await processesOf(dir);
  for (const { pid } of left) if (isAlive(pid)) process.kill(pid, "SIGKILL");
  return left.map(({ pid, command }) => `${pid} ${command}`);
}
