// Runs the torture from start to end: a cluster, clients, faults, healing, and the history.
import { execFileSync } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Balancer } from "./balancer.ts";
import { Client } from "./client.ts";
import { TortureCluster } from "./cluster.ts";
import { Commits } from "./commits.ts";
import { examine } from "./examination.ts";
import type { FaultContext } from "./fault-context.ts";
import { runFaults } from "./fault-runner.ts";
import { faultSchedule } from "./fault-schedule.ts";
import { heal } from "./healing.ts";
import type { History } from "./history.ts";
import { APART, NAMES, scopeOf } from "./odd-names.ts";
import { Placed } from "./placed.ts";
import { drawPlan } from "./plan.ts";
import { randomOf } from "./random.ts";
import { Recorder } from "./recorder.ts";
import { Session } from "./session.ts";
import { Watchers } from "./watchers.ts";

const REPOSITORIES = ["team/one", "team/two", "team/three"];
const CLIENTS = 6;
/** After this number of operations all clients use new refs. */
const GENERATION = 500;
/** How long a client waits after a failure before it tries again. */
const PAUSE_MS = { low: 20, high: 150 };
/** The percentage of operations that go to any device, whether it holds the repository or not. */
const STRAYS = 10;
const FAULT_STREAM = 0;
const CLIENT_STREAM = 100;

export interface TortureOptions {
  readonly seed: number;
  readonly seconds: number;
  /** The run ends early when this number of operations have begun. */
  readonly operations: number;
  readonly devices: number;
  /** So many clients work on one repository. undefined: six on three. */
  readonly pushers?: number;
  /** The rule of copies. With two or more, faults may lose the disk of a device. */
  readonly minCopies: number;
  /** Matches the kinds of faults to make. */
  readonly faults: RegExp;
  /** Operations between two faults, in the mean. */
  readonly every?: number;
  /** The command line of the run, for the history. */
  readonly arguments: readonly string[];
  readonly env: Record<string, string>;
  readonly signal: AbortSignal;
  readonly onProgress: (recorder: Recorder) => void;
  /** Called before the cluster is removed, with the log file of each device's sidecar. */
  readonly onEnd?: (history: History, logs: ReadonlyMap<string, string>) => Promise<void>;
}

/** Runs the torture and returns the history. Throws if the cluster does not start or does not come back. */
export async function torture(options: TortureOptions): Promise<History> {
  const { seed, devices, signal, onProgress, pushers } = options;
  const repositories = pushers === undefined ? REPOSITORIES : REPOSITORIES.slice(0, 1);
  await using cluster = await TortureCluster.start(devices, options.env);
  for (const repository of repositories) await cluster.createRepository(repository, options.minCopies);
  await using watchers = await Watchers.start(cluster);
  const commits = new Commits(join(cluster.dir, "objects"));
  await mkdir(join(cluster.dir, "clients"));
  const names = Array.from({ length: pushers ?? CLIENTS }, (_, index) => `client${index + 1}`);
  const clients = await Promise.all(
    names.map((name) => Client.create(name, join(cluster.dir, "clients"), commits.directory)),
  );
  const recorder = new Recorder();
  recorder.records.push({ record: "run", seed, arguments: options.arguments, versions: versions() });
  const deviceOf = (name: string) => cluster.member(name).host.device;
  const aliases = new Set<string>();
  const placed = new Placed(() => cluster.databaseUrl);
  const nameOf = (repository: string) => placed.nameOf(repository);
  const sessions = clients.map((client) => new Session({ client, commits, recorder, deviceOf, nameOf, aliases }));
  const balancer = new Balancer(cluster.names);
  const generation = () => Math.floor(recorder.operations / GENERATION);
  let moved = 0;
  const context: FaultContext = {
    cluster,
    clients,
    minCopies: options.minCopies,
    commits,
    recorder,
    generation,
    aliases,
    placed,
    ordered: new Set(),
    movedIn: [],
    numberOfMoved: () => {
      moved += 1;
      return moved;
    },
    locks: [],
    activeRef: (_, choice) => `${scopeOf(generation())}${NAMES[APART[Math.floor(choice * APART.length)]!]}`,
  };

  const over = new AbortController();
  const stop = AbortSignal.any([signal, over.signal, cluster.lost]);
  const looking = placed.keepFresh(over.signal);
  const timer = setTimeout(() => over.abort(), options.seconds * 1_000);
  const ticker = setInterval(() => onProgress(recorder), 1_000);
  try {
    const schedule = faultSchedule(randomOf(seed, FAULT_STREAM), {
      devices: cluster.names,
      repositories,
      losesDisks: options.minCopies > 1,
      only: options.faults,
      ...(options.every !== undefined && { every: options.every }),
    });
    const faults = runFaults(schedule, context, recorder, stop);
    await Promise.all(sessions.map((session, index) => work(session, index)));
    over.abort();
    await faults;
    cluster.lost.throwIfAborted();
    await looking;
    const found = await examine(context, await heal(context, repositories, sessions));
    recorder.records.push(...found, ...(await watchers.end(found)));
    for (const { host } of cluster.members) {
      for (const { how, at, said } of host.endings)
        recorder.records.push({ record: "ending", device: host.name, how, at: recorder.timeOf(at), said });
    }
  } finally {
    clearInterval(ticker);
    clearTimeout(timer);
    over.abort();
  }
  await options.onEnd?.(recorder.records, new Map(cluster.members.map(({ host }) => [host.name, host.device.logFile])));
  return recorder.records;

  /** Returns a device that holds the repository, mostly. */
  function holding(device: string, repository: string, strays: boolean): string {
    const holders = placed.holdersOf(repository) ?? [];
    if (strays || holders.length === 0 || holders.includes(device)) return device;
    return holders[cluster.names.indexOf(device) % holders.length]!;
  }

  async function work(session: Session, index: number): Promise<void> {
    const random = randomOf(seed, CLIENT_STREAM + index);
    while (!stop.aborted && recorder.operations < options.operations) {
      const drawn = drawPlan(random, repositories, cluster.names);
      const pause = random.between(PAUSE_MS.low, PAUSE_MS.high);
      const strays = random.percent(STRAYS);
      const plan = { ...drawn, device: balancer.choose(holding(drawn.device, drawn.repository, strays)) };
      const result = await session.perform(plan, generation());
      balancer.note(plan.device, result);
      if (result !== "ok") await delay(pause);
    }
  }
}

function versions(): Record<string, string> {
  return { node: process.version, git: execFileSync("git", ["version"], { encoding: "utf8" }).trim() };
}
