// The page of one repository: how it is, where a read and a push would go now, who writes, and what happened to it.
import { isStuck } from "../health/stuck-head.ts";
import { listCommands } from "../store/command/find-commands.ts";
import type { Database } from "../store/database/database.ts";
import { readLog } from "../store/log/list-log.ts";
import { countPlaces, devicesThatWrite } from "../store/replica/placement.ts";
import { type ReplicaRow, replicasOf } from "../store/replica/replicas.ts";
import { recentSyncs } from "../store/replica/sync-events.ts";
import { findRepository, type Repository } from "../store/repository/repositories.ts";
import { currentWriter } from "../store/write/find-write.ts";
import { listTickets } from "../store/write/turns.ts";
import { listWriteStops } from "../store/write/write-stops.ts";
import type { Restless } from "./survey.ts";

/** As many as `lockstep repo show` prints. */
const ENTRIES = 20;
const SYNCS = 120;
const COMMANDS = 20;

/** All that the page of a repository shows. */
export interface RepositoryDetails {
  readonly repository: Repository;
  readonly replicas: readonly ReplicaRow[];
  /** On how many devices it shall be. */
  readonly places: number;
  /** Live devices that take pushes to it. */
  readonly takers: readonly string[];
  readonly writer: Awaited<ReturnType<typeof currentWriter>>;
  readonly tickets: Awaited<ReturnType<typeof listTickets>>;
  readonly stops: Awaited<ReturnType<typeof listWriteStops>>;
  readonly newest: Awaited<ReturnType<typeof readLog>>[number] | undefined;
  readonly log: Awaited<ReturnType<typeof readLog>>;
  readonly syncs: Awaited<ReturnType<typeof recentSyncs>>;
  readonly commands: Awaited<ReturnType<typeof listCommands>>;
  readonly at: Date;
}

/**
 * Reads everything about a repository, one statement after the other. `before`: the log below that version; null: from
 * the head. Throws REPOSITORY_NOT_FOUND.
 */
export async function readDetails(db: Database, name: string, before: bigint | null): Promise<RepositoryDetails> {
  const repository = await findRepository(db, name);
  const { id } = repository;
  const replicas = await replicasOf(db, id);
  const places = await countPlaces(db, id);
  const takers = await devicesThatWrite(db, name);
  const writer = await currentWriter(db, id);
  const tickets = await listTickets(db, id);
  const stops = await listWriteStops(db, id);
  const log = await readLog(db, id, before, ENTRIES);
  const newest = before === null ? log[0] : (await readLog(db, id, null, 1))[0];
  const syncs = await recentSyncs(db, id, SYNCS);
  const commands = await listCommands(db, { repository: name, limit: COMMANDS });
  return { repository, replicas, places, takers, writer, tickets, stops, newest, log, syncs, commands, at: new Date() };
}

/** Returns how the repository is, by the rules of `lockstep status`. */
export function statusOf({ repository, replicas, places, writer, stops, newest }: RepositoryDetails): Restless {
  const { headVersion, name } = repository;
  const held = replicas.filter(({ state }) => state !== "released" && state !== "destroyed");
  const isLeader = ({ state, version }: ReplicaRow) => state === "active" && version >= headVersion;
  const names = (which: (replica: ReplicaRow) => boolean) => held.filter(which).map(({ device }) => device);
  const isBehind = ({ state, version }: ReplicaRow) =>
    state === "pending" || (state === "active" && version < headVersion);
  const leaders = held.filter(isLeader);
  const atHead = { head: headVersion, leaders: names(isLeader), landedAt: newest?.landedAt ?? null };
  // The replica that lags longest tells since when.
  const lagging = held.filter((replica) => isBehind(replica) && replica.wanted);
  return {
    repository: name,
    ...atHead,
    behind: names((replica) => replica.wanted && isBehind(replica)),
    broken: names(({ wanted, state }) => wanted && state === "broken"),
    unsafe: leaders.filter(({ wanted }) => wanted).length < (places < 2 ? 1 : 2),
    writing: writer !== null,
    writesStopped: stops.some((stop) => stop.repository !== null),
    stopped: repository.stopped,
    author: newest?.author ?? null,
    stuck: isStuck(atHead, new Set(held.filter(({ live }) => live).map(({ device }) => device))),
    since: lagging.length === 0 ? Date.now() : (newest?.landedAt.getTime() ?? Date.now()),
  };
}
