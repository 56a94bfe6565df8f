// The devices of `lockstep demo`, each under a supervisor. Every connection between them and to the database goes
// through a proxy.
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Disposals } from "../../src/demo/cluster.ts";
import { Device, PATIENCE } from "../support/cluster-device.ts";
import { type DatabaseProxy, databaseProxy } from "../support/database-proxy.ts";
import { type Demo, startDemo } from "../support/demo.ts";
import { Disk } from "../support/disk.ts";
import { isAlive, processesOf, untilGone } from "../support/processes.ts";
import { SettableClock } from "./clock.ts";
import { gitDirectoryOf, SupervisedDevice } from "./device.ts";
import { makeGitDirectory } from "./hung-git.ts";
import { PeerProxy } from "./peer-proxy.ts";
import { startDatabase, type TortureDatabase } from "./torture-database.ts";

const START_MS = 180_000;
const LAST_BREATH_MS = 5_000;
/** The address that sidecars listen on. They advertise localhost, where the proxies listen on 127.0.0.1. */
const BEHIND = "127.0.0.2";

/** A device with its clock and its proxies. */
export interface Member {
  readonly host: SupervisedDevice;
  /** The clock of its sidecar. */
  readonly clock: SettableClock;
  readonly database: DatabaseProxy;
  /** The proxies before its gRPC port and its git port. */
  readonly peers: readonly PeerProxy[];
}

export class TortureCluster implements AsyncDisposable {
  readonly dir: string;
  readonly demo: Demo;
  readonly members: Member[] = [];
  readonly database: TortureDatabase;
  /** The clock of PostgreSQL. */
  readonly clock: SettableClock;
  /** The file systems of the roots that have their own, by device. */
  readonly disks: ReadonlyMap<string, Disk>;

  /** Aborts with the reason if the demo ends, which also ends all processes that it started. */
  readonly lost: AbortSignal;
  #undo: Disposals | undefined;
  #left: readonly string[] = [];

  private constructor(
    dir: string,
    database: TortureDatabase,
    disks: ReadonlyMap<string, Disk>,
    demo: Demo,
    clock: SettableClock,
  ) {
    this.dir = dir;
    this.database = database;
    this.disks = disks;
    this.demo = demo;
    this.clock = clock;
    const lost = new AbortController();
    this.lost = lost.signal;
    demo.process.once("exit", async (code, signal) => {
      lost.abort(new Error(`The demo ended with ${code ?? signal}: ${await demo.stderr}`));
    });
  }

  /** Starts a cluster. `env` is added to the environment of every process. */
  static async start(devices: number, env: Record<string, string>): Promise<TortureCluster> {
    // A short path, because the path of a unix socket has at most 107 bytes.
    const dir = await mkdtemp(join(tmpdir(), "ls-"));
    const undo = new Disposals();
    undo.defer(async () => await rm(dir, { recursive: true, force: true, maxRetries: 3 }));
    try {
      // PostgreSQL may run as another user, who must be able to pass through.
      await chmod(dir, 0o711);
      const clock = await SettableClock.create(join(dir, "clock"));
      const database = await startDatabase(dir, clock.env);
      undo.defer(async () => await database[Symbol.asyncDispose]());
      const disks = await mountDisks(join(dir, "c"), devices);
      undo.defer(async () => {
        for (const disk of disks.values()) await disk[Symbol.asyncDispose]();
      });
      const demo = await startDemo(["--dir", join(dir, "c"), "--devices", String(devices)], {
        ...env,
        LOCKSTEP_DATABASE_URL: database.url,
      });
      const cluster = new TortureCluster(dir, database, disks, demo, clock);
      undo.defer(async () => await cluster.#stop());
      for (const device of demo.line.devices) await cluster.#interpose(new Device(device), env);
      await cluster.untilReady(START_MS);
      cluster.#undo = undo;
      return cluster;
    } catch (error) {
      await undo[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** The URL of the primary, without a proxy. */
  get databaseUrl(): string {
    return this.database.url;
  }

  member(name: string): Member {
    return this.members.find(({ host }) => host.name === name)!;
  }

  get names(): string[] {
    return this.members.map(({ host }) => host.name);
  }

  async createRepository(repository: string, minCopies: number): Promise<void> {
    await this.members[0]!.host.device.call("CreateRepository", { repository, minCopies }, PATIENCE);
  }

  /** Waits until every device is ready. Throws if one is not ready in time. */
  async untilReady(withinMs: number): Promise<void> {
    const ready = await Promise.all(this.members.map(({ host }) => host.untilReady(withinMs)));
    const late = this.members.filter((_, index) => !ready[index]).map(({ host }) => host);
    if (late.length === 0) return;
    const logs = await Promise.all(late.map(async (host) => `${host.name}: ${await host.device.logEnd()}`));
    throw new Error(`Not ready within ${withinMs} ms: ${logs.join("\n")}`);
  }

  /** Stops the cluster. Throws if processes were left behind. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#undo?.[Symbol.asyncDispose]();
    if (this.#left.length > 0) throw new Error(`The cluster left processes behind: ${this.#left.join("; ")}.`);
  }

  async #stop(): Promise<void> {
    for (const { host } of this.members) if (isAlive(host.pid)) process.kill(host.pid, "SIGCONT");
    await Promise.all(this.members.map(({ host }) => host.stop()));
    if (isAlive(this.demo.pid)) this.demo.process.kill("SIGINT");
    await untilGone(this.demo.pid);
    for (const { database, peers } of this.members) {
      await Promise.all([database, ...peers].map((proxy) => proxy[Symbol.asyncDispose]()));
    }
    this.#left = await processesLeft(join(this.dir, "c", "/"));
  }

  /** Ends the sidecar that the demo started, and starts it again behind proxies. */
  async #interpose(device: Device, env: Record<string, string>): Promise<void> {
    const database = await databaseProxy(this.databaseUrl);
    const sidecars = () => new Map(this.members.map((member) => [member.host.name, member.host.pid]));
    const [grpc, git] = [await PeerProxy.open(BEHIND, sidecars), await PeerProxy.open(BEHIND, sidecars)];
    const clock = await SettableClock.create(join(this.dir, `clock-${device.name}`));
    const programs = gitDirectoryOf(device);
    await makeGitDirectory(programs);
    const host = new SupervisedDevice(device, {
      ...env,
      ...clock.env,
      PATH: `${programs}:${device.demo.env.PATH}`,
      LOCKSTEP_DATABASE_URL: database.url,
      LOCKSTEP_LISTEN: `${BEHIND}:${grpc.port}`,
      LOCKSTEP_GIT_LISTEN: `${BEHIND}:${git.port}`,
    });
    await host.killSidecar();
    const peers = [grpc, git];
    this.members.push({ host, clock, database, peers });
    host.start();
  }
}

/** Mounts a disk where `demo` will put the repositories of each device. Mounts none if this user may not mount. */
async function mountDisks(dir: string, devices: number): Promise<Map<string, Disk>> {
  const disks = new Map<string, Disk>();
  for (let index = 1; index <= devices; index += 1) {
    const root = join(dir, `repo${String(index).padStart(3, "0")}`, "repositories");
    const disk = await Disk.mount(root, "ext4").catch(() => undefined);
    if (disk) disks.set(root, disk);
  }
  return disks;
}

/** Kills and returns the processes that still use `dir`. */
async function processesLeft(dir: string): Promise<string[]> {
  const deadline = Date.now() + LAST_BREATH_MS;
  let left = await processesOf(dir);
  while (left.length > 0 && Date.now() < deadline) {
    await delay(50);
    left = await processesOf(dir);
  }
  for (const { pid } of left) if (isAlive(pid)) process.kill(pid, "SIGKILL");
  return left.map(({ pid, command }) => `${pid} ${command}`);
}
