// A device in the test's own process, on a real database and real git. Its context is made as that of the service
// (src/sidecar/make-context.ts), with a root, a lock and a lease. Only the network is missing: a pack comes directly
// from the other device's PackServer. A test may replace the source of packs. It may intercept every git command, and
// every statement to the database except those about the lease.
import { randomUUID } from "node:crypto";
import { mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { PassThrough, type Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { pino } from "pino";
import { expect, vi } from "vitest";
import { objectIds, type RefFormat, type RefUpdate, refAuthor } from "../../src/domain.ts";
import { LockstepError } from "../../src/errors.ts";
import type { Patience } from "../../src/git/hung/judge.ts";
import { Lifetime } from "../../src/sidecar/lifetime.ts";
import { makeContext } from "../../src/sidecar/make-context.ts";
import { type LockedRoot, takeRoot } from "../../src/sidecar/take-root.ts";
import { Database } from "../../src/store/database/database.ts";
import { releaseLease } from "../../src/store/device/device-lease.ts";
import { readFold } from "../../src/store/log/fold.ts";
import { findRepository } from "../../src/store/repository/repositories.ts";
import { lookAtDirectory } from "../../src/sync/adopt/look-at-directory.ts";
import { catchUp } from "../../src/sync/catch-up/catch-up.ts";
import { holdObjects } from "../../src/sync/copies/hold-objects.ts";
import type { SyncContext } from "../../src/sync/device/context.ts";
import type { Replica } from "../../src/sync/device/replica.ts";
import { PackServer } from "../../src/sync/objects/serve-pack.ts";
import { push } from "../../src/sync/push/push.ts";
import { startGitEarly } from "../../src/sync/push/start-early.ts";
import { beforeRead, type ReadGrant } from "../../src/sync/read/before-read.ts";
import type { Pusher } from "../../src/sync/write/request.ts";
import { Metrics } from "../../src/telemetry/metrics.ts";
import { Stopwatch } from "../../src/telemetry/stopwatch.ts";
import { gitServer } from "./git-server.ts";
import { writeGitWrapper } from "./git-wrapper.ts";
import { LIMITS } from "./limits.ts";
import { update } from "./refs.ts";
import { PERSON, ReplicaFiles } from "./replica-files.ts";
import { intercept, type StatementScript } from "./statement-script.ts";
import type { TestCluster } from "./sync-cluster.ts";

export type OpenPack = SyncContext["openPack"];
/** The options of `vi.waitFor` for an expected event. */
export const SOON = { timeout: 20_000, interval: 5 };

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

export interface PushOptions {
  readonly atomic?: boolean;
  readonly author?: string;
  readonly pusher?: Partial<Pusher>;
}

/** One incarnation of a device. */
export class TestDevice extends ReplicaFiles {
  readonly cluster: TestCluster;
  readonly name: string;
  readonly context: SyncContext;
  readonly packs: PackServer;
  /** Every request for a pack so far. */
  readonly packRequests: { from: string; wants: readonly string[]; haves: readonly string[] }[] = [];
  /** The lines of the log. */
  readonly logged: Record<string, unknown>[];
  openPack: OpenPack;
  /** Called with a replica that lacks objects which another device asks for. */
  onDoubt: (replica: Replica) => void;
  onStatement: StatementScript = (_, run) => run();
  readonly #options: StartOptions;
  readonly #life: Lifetime;
  readonly #bin: string;
  readonly #lease: Promise<void>;
  readonly #root: LockedRoot;
  /** The length of the part of the log of git commands that has been read. */
  #seen = 0;
  #crashed = false;

  private constructor(
    cluster: TestCluster,
    name: string,
    options: StartOptions,
    parts: Readonly<{ context: SyncContext; life: Lifetime; root: LockedRoot; bin: string }>,
    logged: Record<string, unknown>[],
  ) {
    super();
    const { context, life } = parts;
    this.cluster = cluster;
    this.name = name;
    this.context = context;
    this.logged = logged;
    this.#options = options;
    this.#life = life;
    this.#bin = parts.bin;
    this.#root = parts.root;
    this.openPack = honest(cluster, name);
    for (const pool of [context.db.reads, context.db.work]) intercept(pool, () => this.onStatement);
    this.packs = new PackServer(context, (replica) => this.onDoubt(replica), LIMITS.portLimits.packs);
    this.onDoubt = (replica) => void catchUp(context, replica, 0n, { signal: context.signal }).catch(() => {});
    this.#lease = context.lease.keep({ onFenced: life.onFenced, onFailOver: () => {} }, life.over);
  }

  get root(): string {
    return this.context.root;
  }

  get home(): string {
    return this.cluster.dir;
  }

  get fenced(): boolean {
    return this.#life.fenced;
  }

  static async start(cluster: TestCluster, name: string, options: StartOptions): Promise<TestDevice> {
    // These characters are special in git's list of alternates, in its configuration or in UTF-8.
    const root = lengthened(join(cluster.dir, 'ü:"\\'), name, options.rootBytes);
    const bin = join(cluster.dir, "bin", name);
    await mkdir(root, { recursive: true });
    await mkdir(bin, { recursive: true });
    const path = `${bin}:${process.env.PATH}`;
    await rm(join(bin, "log"), { force: true });
    await writeGitWrapper(bin, "");
    const logged: Record<string, unknown>[] = [];
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
      openPack: async (peer, request, ...rest) => {
        device.packRequests.push({ from: peer.device, wants: request.wants, haves: request.haves });
        return await device.openPack(peer, request, ...rest);
      },
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
    const device = new TestDevice(cluster, name, options, { context, life, root: lockedRoot, bin }, logged);
    return device;
  }

  /** Ends like a killed process: the device gives nothing back, and only the operating system cleans up. */
  async crash(): Promise<void> {
    if (this.#crashed) return;
    this.#crashed = true;
    this.onStatement = (_, run) => run();
    this.#life.end();
    await this.#lease;
    await this.#root[Symbol.asyncDispose]();
    await this.context.db[Symbol.asyncDispose]();
  }

  /** Ends like `lockstep serve` after a stop signal: gives the lease back. */
  async stop(): Promise<void> {
    await releaseLease(this.context.db, this.context.me);
    await this.crash();
  }

  /** Starts the next incarnation on the same root, after a crash of this one. */
  async restart(options: StartOptions = {}): Promise<TestDevice> {
    return await this.cluster.start(this.name, { ...this.#options, ...options });
  }

  async read(
    repository: string,
    options: { minVersion?: bigint; forPush?: boolean; signal?: AbortSignal } = {},
  ): Promise<ReadGrant> {
    return await beforeRead(this.context, repository, { signal: AbortSignal.timeout(SOON.timeout), ...options });
  }

  /**
   * Hands over the updates, as receive-pack does when the objects have arrived. As in the hook, git is started first.
   * Returns the answer to the pusher for each ref.
   */
  async push(
    repository: string,
    updates: readonly RefUpdate[],
    { atomic = false, author = "ada", pusher = {} }: PushOptions = {},
  ): Promise<Record<string, string | null>> {
    const request = {
      repository,
      updates,
      atomic,
      author,
      refAuthor: refAuthor(author),
      requestId: randomUUID(),
      clock: new Stopwatch(),
    };
    const server = gitServer(this.gitDir(repository), { ...process.env, ...PERSON });
    const quiet: Pusher = {
      say: () => {},
      sayAsGit: () => {},
      gone: new AbortController().signal,
      ...server,
      ...pusher,
    };
    // Questions of the sidecar to the git server are always answered, even if a test replaces hooks.
    const runHook: Pusher["runHook"] = (path, args) => (path === "sh" ? server : quiet).runHook(path, args);
    await using started = startGitEarly(this.context, repository, request.refAuthor);
    return Object.fromEntries(await push(this.context, request, { ...quiet, runHook }, started));
  }

  replica(repository: string): Replica {
    const replica = this.context.replicas.findByName(repository);
    if (replica === undefined) throw new Error(`${this.name} has not touched ${repository}`);
    return replica;
  }

  /** Returns the git commands that the sidecar has started since the last call. */
  async gitCommands(): Promise<string[]> {
    const text = await readFile(join(this.#bin, "log"), "utf8").catch(() => "");
    const since = text.slice(this.#seen);
    this.#seen = text.length;
    return since.split("\n").filter(Boolean);
  }

  /** Sets lines of sh that run before each git command of the sidecar. The arguments of git are "$*". */
  async beforeGit(script: string): Promise<void> {
    await writeGitWrapper(this.#bin, script);
    // A git that was started before would not run them.
    this.context.replicas.endGits();
  }

  /** Expects the replica to be current, equal to the log, and tidy. */
  async expectInLockstep(repository: string): Promise<void> {
    const { id } = await findRepository(this.context.db, repository);
    const fold = await readFold(this.context.db, id);
    expect(await this.refs(repository)).toEqual(Object.fromEntries(fold.refs));
    expect(this.replica(repository).applied).toBe(fold.head);
    for (const id of objectIds(fold.refs.values()))
      await this.git(repository, ["rev-list", "--objects", "--quiet", id]);
    // If there are many refs, git may be packing them, each under its lock for a moment.
    await vi.waitFor(async () => expect(await this.leftovers(repository)).toEqual([]), SOON);
    // The row is written after the pusher's answer.
    await vi.waitFor(async () => {
      const rows = await this.cluster.sql(
        "select version, state from lockstep.replica where repository_id = $1 and device = $2",
        [id, this.name],
      );
      expect(rows).toEqual([{ version: String(fold.head), state: "active" }]);
    }, SOON);
    await vi.waitFor(async () => expect(await this.staged()).toEqual([]), SOON);
  }

  /** Returns the ids of this device's staged writes. */
  async staged(): Promise<string[]> {
    const rows = await this.cluster.sql<{ id: string }>(
      "select id from lockstep.write where device = $1 and status = 'staged'",
      [this.name],
    );
    return rows.map((row) => row.id);
  }

  /** Returns the catch-ups that this device has recorded, oldest first. */
  async syncEvents() {
    return await this.cluster.sql<{ from_device: string; from_version: string; version: string; result: string }>(
      "select from_device, from_version, version, refs_changed, result, error from lockstep.sync_event where device = $1 order by id",
      [this.name],
    );
  }
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

/** Makes a change of a ref from latin1 text. A name that does not begin with refs/ is a branch. */
export function change(name: string, oldValue: string | null, newValue: string | null): RefUpdate {
  return update(name.startsWith("refs/") ? name : `refs/heads/${name}`, oldValue, newValue);
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
