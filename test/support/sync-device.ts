// A device in the test's own process, on a real database and real git. Its context is made as that of the service
// (src/sidecar/make-context.ts), with a root, a lock and a lease. Only the network is missing: a pack comes directly
// from the other device's PackServer. A test may replace the source of packs. It may intercept every git command, and
// every statement to the database except those about the lease.
import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, vi } from "vitest";
import { objectIds, type RefUpdate, refAuthor } from "../../src/domain.ts";
import type { Lifetime } from "../../src/sidecar/lifetime.ts";
import type { LockedRoot } from "../../src/sidecar/take-root.ts";
import { releaseLease } from "../../src/store/device/device-lease.ts";
import { readFold } from "../../src/store/log/fold.ts";
import { findRepository } from "../../src/store/repository/repositories.ts";
import { catchUp } from "../../src/sync/catch-up/catch-up.ts";
import type { SyncContext } from "../../src/sync/device/context.ts";
import type { Replica } from "../../src/sync/device/replica.ts";
import { PackServer } from "../../src/sync/objects/serve-pack.ts";
import { push } from "../../src/sync/push/push.ts";
import { startGitEarly } from "../../src/sync/push/start-early.ts";
import { beforeRead, type ReadGrant } from "../../src/sync/read/before-read.ts";
import type { Pusher } from "../../src/sync/write/request.ts";
import { Stopwatch } from "../../src/telemetry/stopwatch.ts";
import { type DeviceParts, honest, makeParts, type OpenPack, type StartOptions } from "./device-parts.ts";
import { gitServer } from "./git-server.ts";
import { writeGitWrapper } from "./git-wrapper.ts";
import { LIMITS } from "./limits.ts";
import { update } from "./refs.ts";
import { PERSON, ReplicaFiles } from "./replica-files.ts";
import { soon } from "./soon.ts";
import { intercept, type StatementScript } from "./statement-script.ts";
import type { TestCluster } from "./sync-cluster.ts";

/** The options of `vi.waitFor` for an expected event. */
export const SOON = soon(5);

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
    parts: DeviceParts,
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
    const logged: Record<string, unknown>[] = [];
    const parts = await makeParts(cluster, name, options, logged, async (peer, request, ...rest) => {
      device.packRequests.push({ from: peer.device, wants: request.wants, haves: request.haves });
      return await device.openPack(peer, request, ...rest);
    });
    const device = new TestDevice(cluster, name, options, parts, logged);
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

/** Makes a change of a ref from latin1 text. A name that does not begin with refs/ is a branch. */
export function change(name: string, oldValue: string | null, newValue: string | null): RefUpdate {
  return update(name.startsWith("refs/") ? name : `refs/heads/${name}`, oldValue, newValue);
}
