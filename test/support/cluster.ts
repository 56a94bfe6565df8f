// A cluster for tests from outside: the one line of `demo --json`, stock git, and processes to kill and restart.
// Disposal stops everything and throws if a process is left.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Device, PATIENCE } from "./cluster-device.ts";
import { migratedDatabase } from "./database.ts";
import { type Demo, startDemo } from "./demo.ts";
import { type GitSandbox, gitSandbox } from "./git.ts";
import { isAlive, processesOf, untilGone } from "./processes.ts";
import { SHORT_WAITS } from "./short-waits.ts";

/**
 * Children of a stopped process have this time to end. A git that is in fsync ends only when the disk has answered, and
 * on a busy machine that takes seconds.
 */
const LAST_BREATH_MS = 20_000;

export interface Cluster extends AsyncDisposable {
  readonly demo: Demo;
  readonly dir: string;
  readonly databaseUrl: string;
  readonly devices: readonly Device[];
  /** Stock git with a home of its own. */
  readonly git: GitSandbox;
  /** Creates an empty repository on every device and returns its name. Its rule of copies is `minCopies`. */
  createRepository(minCopies?: number): Promise<string>;
}

export interface ClusterOptions {
  /** Returns another URL of the database for the devices, such as that of a proxy. */
  readonly via?: (databaseUrl: string) => Promise<string>;
  readonly refFormat?: "files" | "reftable";
  /** True shortens the waits of all devices to a third, for tests that sit them out. */
  readonly shortWaits?: boolean;
}

/** Starts three devices and their gates on a database that has the schema and nothing else. */
export async function startCluster({
  via,
  refFormat = "files",
  shortWaits = false,
}: ClusterOptions = {}): Promise<Cluster> {
  const database = await migratedDatabase();
  const git = await gitSandbox();
  // A short path, because the path of a unix socket has at most 107 bytes.
  const dir = await mkdtemp(join(tmpdir(), "ls-"));
  const cleanUp = async () => {
    const left = await processesLeft(dir);
    await rm(dir, { recursive: true, force: true, maxRetries: 3 });
    await git[Symbol.asyncDispose]();
    await database[Symbol.asyncDispose]();
    if (left.length > 0) throw new Error(`The cluster left processes behind: ${left.join("; ")}.`);
  };
  const databaseUrl = via ? await via(database.url) : database.url;
  const env = { LOCKSTEP_DATABASE_URL: databaseUrl, ...(shortWaits && SHORT_WAITS) };
  const started = startDemo(["--dir", dir, "--ref-format", refFormat], env);
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
    async createRepository(minCopies = 1) {
      repositories += 1;
      const repository = `team/app-${repositories}`;
      await devices[0]!.call("CreateRepository", { repository, minCopies }, PATIENCE);
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

/**
 * Kills and returns the processes that still use `dir`. If they lived on, every later test would report the same leak.
 */
async function processesLeft(dir: string): Promise<string[]> {
  const deadline = Date.now() + LAST_BREATH_MS;
  let left = await processesOf(dir);
  while (left.length > 0 && Date.now() < deadline) {
    await delay(20);
    left = await processesOf(dir);
  }
  for (const { pid } of left) if (isAlive(pid)) process.kill(pid, "SIGKILL");
  return left.map(({ pid, command, state }) => `${pid} ${command} (${state})`);
}
