// Makes each kind of fault and takes it back. Each function returns a few words about the outcome.
import { readdir, readFile, readlink } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import type pg from "pg";
import { administer } from "../support/administer.ts";
import { isAlive } from "../support/processes.ts";
import type { SettableClock } from "./clock.ts";
import type { Member } from "./cluster.ts";
import { holdRow, holdUpStatement } from "./database-faults.ts";
import { collectGarbage, fullDisk, loseDisk, losePower, oldLock } from "./disk-faults.ts";
import { failOver, loseStandby } from "./fail-overs.ts";
import type { FaultContext, Make } from "./fault-context.ts";
import type { FaultKind, PlannedFault } from "./fault-schedule.ts";
import { hangGit } from "./hung-git.ts";
import {
  changePlacement,
  drain,
  leaveAndJoin,
  orderCommand,
  removeAndRestore,
  rename,
  takeNoWrites,
} from "./life-faults.ts";
import { losePart } from "./missing-parts.ts";
import { moveIn } from "./moved-in.ts";
import { changeSymbolicRefs, pushReplacement } from "./odd-refs.ts";
import { changeMinCopies } from "./operator-faults.ts";
import type { Block } from "./peer-proxy.ts";

/** The fault waits this long for a process to kill. */
const SEARCH_MS = 1_500;
/** Time for the end of a lease and a start. */
const REPLACED_MS = 60_000;
const ALLOWED_MS = 120_000;
const CALL_MS = 5_000;
const RETRY_MS = 200;
/** Seconds. The jump ahead stays below the age of abandoned locks, because files keep the machine's time. */
const DEVICE_JUMPS = { back: 600, ahead: 45 };
/** Seconds. Both jumps are longer than the lease of a device. */
const DATABASE_JUMPS = { back: 20, ahead: 20 };

export const MAKE: Readonly<Record<FaultKind, Make>> = {
  "kill sidecar": async (_, { lasts }, { host }) => {
    const { pid } = host;
    await host.killSidecar();
    await delay(lasts);
    host.start();
    return `process ${pid}`;
  },
  "kill device": async (_, { lasts }, { host }) => {
    const killed = await host.killAll();
    await delay(lasts);
    host.start();
    return `${killed} processes`;
  },
  "kill process of a push": killProcessOfPush,
  "kill client": async ({ clients }, { choice }) => {
    const busy = clients.filter((client) => client.busy);
    const victim = busy[Math.floor(choice * busy.length)];
    victim?.kill();
    return victim?.name ?? "nobody was busy";
  },
  "terminate backends": async ({ cluster }, { device, choice }) =>
    await administer(cluster.databaseUrl, async (client) => {
      // Ends all sessions of one device, or one session of any device.
      const whose =
        choice < 0.5 ? `application_name like 'lockstep ${device}%'` : "application_name like 'lockstep repo%'";
      const { rowCount } = await client.query(
        `with victim as (select pid from pg_stat_activity where datname = current_database() and ${whose}
           order by random() ${choice < 0.5 ? "" : "limit 1"})
         select pg_terminate_backend(pid) from victim`,
      );
      return `${rowCount} backends`;
    }),
  "crash database": async ({ cluster }) => {
    const pid = await administer(cluster.databaseUrl, someBackend);
    process.kill(pid, "SIGKILL");
    return `backend ${pid}`;
  },
  "stop sidecar": stopSidecar,
  "stop sidecar past its lease": stopSidecar,
  "replace a stopped sidecar": async (_, { lasts }, { host }) => {
    const { pid } = host;
    process.kill(pid, "SIGSTOP");
    await delay(lasts);
    host.replace();
    const deadline = Date.now() + REPLACED_MS;
    while (isAlive(pid) && Date.now() < deadline) await delay(100);
    if (!isAlive(pid)) return `process ${pid} by ${host.pid}`;
    process.kill(pid, "SIGKILL");
    return `process ${pid} was not ended by ${host.pid}`;
  },
  "cut from database": async (_, { lasts }, { database }) => {
    database.cut();
    await delay(lasts);
    database.mend();
    return "cut";
  },
  "stall to database": async (_, { lasts }, { database }) => {
    database.stall();
    await delay(lasts);
    database.mend();
    return "stalled";
  },
  "cut from a device": async (context, fault) => await between(context, fault, "cut"),
  "stall to a device": async (context, fault) => await between(context, fault, "stalled"),
  "stalled answers of a device": async (context, fault) => await between(context, fault, "answers stalled"),
  "held-up statement": holdUpStatement,
  "held row": holdRow,
  "hung git": hangGit,
  "symbolic refs": changeSymbolicRefs,
  "replacement refs": pushReplacement,
  "lost part of a replica": losePart,
  "min copies changes": changeMinCopies,
  "standby away": loseStandby,
  "fail-over": failOver,
  "old lock file": oldLock,
  "lose disk": loseDisk,
  "full disk": fullDisk,
  "power loss of a device": losePower,
  "gc on a replica": collectGarbage,
  "clock of a device jumps": async (_, { lasts, choice }, { clock }) => await jump(clock, DEVICE_JUMPS, choice, lasts),
  "clock of the database jumps": async ({ cluster }, { lasts, choice }) =>
    await jump(cluster.clock, DATABASE_JUMPS, choice, lasts),
  "writes stopped": stopWrites,
  "repository is renamed": rename,
  "repository is removed": removeAndRestore,
  "placement changes": changePlacement,
  "device drains": drain,
  "device leaves and joins": leaveAndJoin,
  "device takes no writes": takeNoWrites,
  "command of an operator": orderCommand,
  "directories are adopted": moveIn,
};

/** Sets a clock off and later back, which makes two jumps. */
async function jump(
  clock: SettableClock,
  { back, ahead }: typeof DEVICE_JUMPS,
  choice: number,
  lasts: number,
): Promise<string> {
  if (clock.missing) return `not possible: ${clock.missing}`;
  const seconds = Math.round(choice * (back + ahead)) - back;
  await clock.set(seconds);
  await delay(lasts);
  await clock.set(0);
  return `${seconds} s`;
}

/** Stops writes as an operator does before maintenance. The first device that answers allows them again. */
async function stopWrites(context: FaultContext, { repository, lasts }: PlannedFault, { host }: Member) {
  const { cluster, placed } = context;
  const { code } = await host.device.lockstep(
    "write-lock",
    placed.nameOf(repository),
    "--enable",
    "--reason",
    "torture",
    "--wait",
    "3",
  );
  await delay(lasts);
  const deadline = Date.now() + ALLOWED_MS;
  while (Date.now() < deadline) {
    for (const member of cluster.members) {
      const allowed = member.host.device.call(
        "AllowWrites",
        { repositories: [placed.nameOf(repository)] },
        { timeoutMs: CALL_MS },
      );
      if (await allowed.then(Boolean, () => false)) return `${repository}, ${code === 0 ? "" : "not "}waited for`;
    }
    await delay(RETRY_MS);
  }
  return "failed: writes were not allowed again";
}

async function stopSidecar(_: FaultContext, { lasts }: PlannedFault, { host }: Member): Promise<string> {
  const { pid } = host;
  process.kill(pid, "SIGSTOP");
  await delay(lasts);
  if (isAlive(pid)) process.kill(pid, "SIGCONT");
  return `process ${pid}`;
}

const OF_A_PUSH =
  /^git (-c \S+ )*receive-pack --stateless-rpc|proc-receive|^git .*(update-ref|index-pack|unpack-objects)/;

/** Kills one process of a push or a catch-up on this device: of git, of the hook, or of the sidecar's git. */
async function killProcessOfPush(_: FaultContext, { choice }: PlannedFault, { host }: Member): Promise<string> {
  const deadline = Date.now() + SEARCH_MS;
  while (Date.now() < deadline) {
    const found = await processesAt(host.device.demo.root);
    const victim = found[Math.floor(choice * found.length)];
    if (victim && isAlive(victim.pid)) {
      process.kill(victim.pid, "SIGKILL");
      return `${victim.pid} ${victim.command.slice(0, 60)}`;
    }
    await delay(10);
  }
  return "no process of a push was found";
}

/** Returns the processes of pushes that work in or on a directory below `root`. It is cheap enough for a loop. */
async function processesAt(root: string): Promise<{ pid: number; command: string }[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const found: { pid: number; command: string }[] = [];
  for (const pid of pids) {
    const command = (await readFile(`/proc/${pid}/cmdline`, "latin1").catch(() => "")).replaceAll("\0", " ").trim();
    if (!OF_A_PUSH.test(command)) continue;
    const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => "");
    if (`${command} ${cwd}`.includes(root)) found.push({ pid: Number(pid), command });
  }
  return found;
}

async function between({ cluster }: FaultContext, { device, other, lasts }: PlannedFault, how: Block): Promise<string> {
  // Both directions are cut. A third device still reaches both.
  const ways = [
    ...cluster.member(device).peers.map((proxy) => [proxy, other] as const),
    ...cluster.member(other).peers.map((proxy) => [proxy, device] as const),
  ];
  for (const [proxy, from] of ways) proxy.block(from, how);
  await delay(lasts);
  for (const [proxy, from] of ways) proxy.mend(from);
  return `${how} between ${device} and ${other}`;
}

async function someBackend(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ pid: number }>(
    "select pid from pg_stat_activity where application_name like 'lockstep repo%' order by random() limit 1",
  );
  if (rows[0] === undefined) throw new Error("no sidecar is connected");
  return rows[0].pid;
}
