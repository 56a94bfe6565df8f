// The parts of a device in the test's own process: its root with a lock, its database, its lease and its context. The
// other devices are those of the cluster in this process.
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { PassThrough, type Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { pino } from "pino";
import type { RefFormat } from "../../src/domain.ts";
import { LockstepError } from "../../src/errors.ts";
import type { Patience } from "../../src/git/hung/judge.ts";
import { Lifetime } from "../../src/sidecar/lifetime.ts";
import { makeContext } from "../../src/sidecar/make-context.ts";
import { type LockedRoot, takeRoot } from "../../src/sidecar/take-root.ts";
import { Database } from "../../src/store/database/database.ts";
import { lookAtDirectory } from "../../src/sync/adopt/look-at-directory.ts";
import { holdObjects } from "../../src/sync/copies/hold-objects.ts";
import type { SyncContext } from "../../src/sync/device/context.ts";
import { Metrics } from "../../src/telemetry/metrics.ts";
import { writeGitWrapper } from "./git-wrapper.ts";
import type { TestCluster } from "./sync-cluster.ts";

export type OpenPack = SyncContext["openPack"];

export interface StartOptions {
  /** A URL with a login of its own (device-logins.ts). */
  readonly databaseUrl?: string;
  readonly zone?: string;
  readonly refFormat?: RefFormat;
  readonly inDoubtMs?: number;
  /** The length in bytes of the path of its root. */
  readonly rootBytes?: number;
  readonly gitCredentials?: SyncContext["gitCredentials"];
  /** How long a git may show no work. */
  readonly patience?: Patience;
  readonly hookAddresses?: SyncContext["hookAddresses"];
}

export interface DeviceParts {
  readonly context: SyncContext;
  readonly life: Lifetime;
  readonly root: LockedRoot;
  /** The directory of its git. */
  readonly bin: string;
}

/** Takes the root and the device. `logged` gets the lines of the log. */
export async function makeParts(
  cluster: TestCluster,
  name: string,
  options: StartOptions,
  logged: Record<string, unknown>[],
  openPack: OpenPack,
): Promise<DeviceParts> {
  // These characters are special in git's list of alternates, in its configuration or in UTF-8.
  const root = lengthened(join(cluster.dir, 'ü:"\\'), name, options.rootBytes);
  const bin = join(cluster.dir, "bin", name);
  await mkdir(root, { recursive: true });
  await mkdir(bin, { recursive: true });
  const path = `${bin}:${process.env.PATH}`;
  await rm(join(bin, "log"), { force: true });
  await writeGitWrapper(bin, "");
  const log = pino({ level: "debug" }, { write: (line: string) => logged.push(JSON.parse(line)) });
  const db = new Database({ url: options.databaseUrl ?? cluster.url, applicationName: name });
  const host = { env: { PATH: path }, execPath: process.execPath, pid: process.pid, kill };
  const lockedRoot = await takeRoot(root, name, db, host);
  const life = new Lifetime(name, new AbortController().signal);
  const address = `${name}.test:1`;
  const { context } = await makeContext({
    ...{ db, device: name, root: lockedRoot, pid: process.pid, log, life },
    git: { path, home: cluster.dir, lockFd: null, ...(options.patience && { patience: options.patience }) },
    grpcAddress: address,
    gitAddress: address,
    sshAddress: "",
    sshUser: "",
    zone: options.zone ?? "",
    socketDir: join(cluster.dir, "run"),
    refFormat: options.refFormat ?? "files",
    inDoubtMs: options.inDoubtMs ?? 60_000,
    metrics: new Metrics({ headQueries: () => 0, commands: () => Promise.reject(new Error("no database")) }),
    warnings: () => [],
    ssh: { authorizedKeys: () => [], way: () => Promise.reject(new Error("no ssh in tests of one process")) },
    pullLogRate: 5,
    hookAddresses: options.hookAddresses,
    upkeep: { threads: 1, windowMemory: 256, scrubDays: 0 },
    gitCredentials: options.gitCredentials ?? { cert: "", key: "", ca: "" },
    openPack,
    requestHold: async (peer, request, signal, onWork) => {
      const holder = cluster.devices.get(peer.device);
      if (holder === undefined) throw new LockstepError("SOURCE_FAILED", `${peer.device} cannot be reached`);
      await holdObjects(holder.context, name, request, { signal, onWork });
    },
    askDirectory: async (peer, question, signal) => {
      const asked = cluster.devices.get(peer.device);
      if (asked === undefined) throw new LockstepError("SOURCE_FAILED", `${peer.device} cannot be reached`);
      const sent = JSON.parse(JSON.stringify(question));
      return JSON.parse(JSON.stringify(await lookAtDirectory(asked.context, sent, signal)));
    },
  });
  return { context, life, root: lockedRoot, bin };
}

function kill(pid: number, signal: NodeJS.Signals | 0): void {
  process.kill(pid, signal);
}

/** Returns a path below `directory` that ends with `name`. If `bytes` is given, the path has that length. */
function lengthened(directory: string, name: string, bytes: number | undefined): string {
  let path = directory;
  for (let more = (bytes ?? 0) - Buffer.byteLength(join(path, name)); more > 1; more -= Math.min(more, 200))
    path = join(path, "x".repeat(Math.min(more, 200) - 1));
  return join(path, name);
}

/** Gets packs for `asker` from the other devices of the cluster. The stream fails if the pack is not whole. */
export function honest(cluster: TestCluster, asker = "somebody"): OpenPack {
  return async (peer, request, signal, onAlive): Promise<Readable> => {
    const source = cluster.devices.get(peer.device);
    if (source === undefined) throw new LockstepError("SOURCE_FAILED", `${peer.device} cannot be reached`);
    const { pack, done } = await source.packs.open(asker, request, signal, onAlive);
    const stream = new PassThrough();
    void Promise.all([pipeline(pack, stream, { end: false }), done]).then(
      () => stream.end(),
      (error: Error) => stream.destroy(error),
    );
    return stream;
  };
}
