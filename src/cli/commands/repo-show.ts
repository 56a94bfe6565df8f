// `lockstep repo show`: one repository with its replicas, writers, waiters, log and catch-ups.
import type { Command } from "commander";
import type { GetRepositoryResponse__Output as Details } from "../../generated/lockstep/v1/GetRepositoryResponse.ts";
import type { SyncEvent__Output as Sync } from "../../generated/lockstep/v1/SyncEvent.ts";
import type { Host } from "../../host.ts";
import { visible } from "../../io/visible.ts";
import { toMs } from "../../protocol/times.ts";
import { duration, prepare, subcommand } from "../terminal/command.ts";
import { size } from "../terminal/progress.ts";
import { table } from "../terminal/styled.ts";
import { describeEntries, documentOf } from "../text/log-entries.ts";
import { documentOfScrub } from "../text/scrubs.ts";
import { instant, lasting, moment } from "../text/times.ts";
import { describeStop, documentOfStop } from "./write-lock.ts";

const ENTRIES = 20;

/** Makes the command `lockstep repo show`. */
export function showCommand(host: Host): Command {
  return subcommand(
    "show",
    `show one repository: its replicas, the writer, the queue, the last ${ENTRIES} log entries, the last catch-ups`,
    "lockstep repo show team/app",
    "repo",
  )
    .argument("<name>")
    .action(async (name: string, flags) => {
      const run = prepare(host, "repo", flags);
      using client = await run.connect();
      const [details, { entries }] = await Promise.all([
        client.call("GetRepository", { repository: name }, run.patience),
        client.call("ListLog", { repository: name, limit: ENTRIES }, run.patience),
      ]);
      const parts = [
        [
          `${name} at version ${details.repository?.headVersion}${describePlacement(details)}${describeCopies(details)}`,
          ...describeStops(details),
          ...(details.repository?.stopped ? [`stopped: ${details.repository.stopped}`] : []),
          ...describeWriters(details),
        ].join("\n"),
        describeReplicas(details),
        `Log\n${describeEntries(entries)}`,
        `Catch-ups\n${describeSyncs(details.syncs)}`,
      ];
      const document = { ...documentOfRepository(details), log: entries.map(documentOf) };
      run.print(document, parts.join("\n\n"));
    });
}

function describePlacement({ repository }: Details): string {
  return repository?.placement.length ? `, on ${repository.placement.join(", ")}` : "";
}

function describeCopies({ repository }: Details): string {
  const { minCopies = 1, landWithFewer } = repository ?? {};
  if (minCopies <= 1) return "";
  return `, every write on at least ${minCopies} devices before it lands${landWithFewer ? " (fewer where they cannot be had)" : ""}`;
}

/** Returns a repository as --json prints it. */
export function documentOfRepository({ repository, replicas, writer, waiters, syncs, writeLocks }: Details) {
  return {
    name: repository?.name,
    version: Number(repository?.headVersion),
    object_format: repository?.objectFormat,
    min_copies: repository?.minCopies,
    land_with_fewer: repository?.landWithFewer,
    serial: repository?.serial,
    placement: repository?.placement.length ? repository.placement : "all",
    stopped: repository?.stopped || null,
    replicas: replicas.map((replica) => ({
      device: replica.device,
      version: Number(replica.version),
      state: stateName(replica.state),
      leader: replica.leader,
      live: replica.live,
      wanted: replica.wanted,
      away_since: replica.awaySince && instant(replica.awaySince),
      last_error: replica.lastError,
      updated_at: instant(replica.updatedAt),
      scrubbed_at: replica.scrub?.at ? instant(replica.scrub.at) : null,
      scrub: replica.scrub && documentOfScrub(replica.scrub),
    })),
    writer: writer && {
      write_id: writer.writeId,
      device: writer.device,
      author: writer.author,
      reason: writer.reason,
      base_version: Number(writer.baseVersion),
      started_at: instant(writer.startedAt),
    },
    waiters: waiters.map(({ device, author, reason, since, waited }) => ({
      device,
      author,
      reason,
      since: instant(since),
      waited_ms: Math.round(toMs(waited as never) ?? 0),
    })),
    syncs: syncs.map((sync) => ({
      device: sync.device,
      from: sync.fromDevice,
      from_version: Number(sync.fromVersion),
      version: Number(sync.version),
      bytes: Number(sync.bytes),
      refs_changed: sync.refsChanged,
      duration_ms: toMs(sync.duration as never) ?? 0,
      error: sync.error || null,
      at: instant(sync.at),
    })),
    write_locks: writeLocks.map(documentOfStop),
  };
}

function describeStops({ writeLocks }: Details): string[] {
  return writeLocks.map((stop) => `writes are stopped to ${describeStop(stop)}`);
}

function describeWriters({ writer, waiters }: Details): string[] {
  if (!writer && waiters.length === 0) return [];
  const writes = writer
    ? `${visible(writer.author)} on ${writer.device} for ${lasting(writer.startedAt)}, on version ${writer.baseVersion}${writer.reason && ` (${visible(writer.reason)})`}`
    : "nobody at this moment";
  const waits = waiters.map(
    ({ device, author, reason, waited }, place) =>
      `  ${place + 1}. ${visible(author)} on ${device} for ${duration(toMs(waited as never) ?? 0)} (${visible(reason)})`,
  );
  return [`writing: ${writes}`, ...(waits.length > 0 ? ["waiting for the turn:", ...waits] : [])];
}

/** Returns the table of replicas as text. */
export function describeReplicas({ replicas }: Details): string {
  return table(
    ["device", "version", "state", "leader", "live", "last error"],
    replicas.map(({ device, version, state, leader, live, awaySince, lastError, wanted }) => [
      device,
      version,
      `${stateName(state)}${wanted || IDLE.includes(stateName(state)) ? "" : ", to be given up"}`,
      leader ? "yes" : "no",
      live ? "yes" : awaySince ? `no, for ${lasting(awaySince)}` : "no",
      lastError,
    ]),
  );
}

const IDLE = ["released", "destroyed"];

function describeSyncs(syncs: readonly Sync[]): string {
  if (syncs.length === 0) return "No replica has had to catch up yet.";
  const rows = syncs.map((sync) => [
    moment(sync.at),
    sync.device,
    sync.fromDevice === sync.device ? "(here)" : sync.fromDevice,
    `${sync.fromVersion} → ${sync.version}`,
    String(sync.refsChanged),
    size(Number(sync.bytes)),
    duration(toMs(sync.duration as never) ?? 0),
    sync.error === "" ? "ok" : sync.error,
  ]);
  return table(["when", "device", "from", "versions", "refs", "bytes", "took", "result"], rows);
}

function stateName(state: string): string {
  return state.replace("REPLICA_STATE_", "").toLowerCase();
}
