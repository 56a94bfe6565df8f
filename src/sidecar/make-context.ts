// Makes the context that everything in sync/ works with, once for a process. It takes the device over for that:
// all that is done with the context carries the new fence.
import type { BlockList } from "node:net";
import { join } from "node:path";
import type { Logger } from "pino";
import { EventLog } from "../activity/event-log.ts";
import type { RefFormat } from "../domain.ts";
import type { GitContext } from "../git/process.ts";
import { ReceivePolicies } from "../git/receive-policy.ts";
import { currentBoot, nextEpoch, STATE_DIR, writeRootRecord } from "../git/root/root-record.ts";
import type { Database } from "../store/database/database.ts";
import { notifyHeads } from "../store/database/notifications.ts";
import type { SyncContext, Upkeep } from "../sync/device/context.ts";
import { Replicas } from "../sync/device/replicas.ts";
import { Sessions } from "../sync/device/sessions.ts";
import { acquireLease } from "../sync/lease/acquire-lease.ts";
import { Announcer } from "../sync/lease/announcer.ts";
import { HeadReader, QUEUE_LIMIT } from "../sync/lease/head-reader.ts";
import { LogTail } from "../sync/lease/log-tail.ts";
import { readProvenHeads } from "../sync/lease/read-proven-heads.ts";
import { readProvenTail } from "../sync/lease/read-proven-tail.ts";
import { tellFailure } from "../sync/lease/tell-outage.ts";
import { Fetchable } from "../sync/objects/fetchable.ts";
import { Holdings } from "../sync/registry/holdings.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import type { Lifetime } from "./lifetime.ts";
import type { LockedRoot } from "./take-root.ts";

/** How this device asks others. */
type Peers = Pick<SyncContext, "openPack" | "requestHold" | "askDirectory" | "ssh" | "gitCredentials" | "warnings">;

export interface ContextRequest extends Peers {
  readonly db: Database;
  readonly device: string;
  readonly root: LockedRoot;
  /** As git is run where nothing is written. */
  readonly git: GitContext;
  readonly pid: number;
  /** Where other devices reach this one. */
  readonly grpcAddress: string;
  readonly gitAddress: string;
  readonly sshAddress: string;
  readonly sshUser: string;
  readonly zone: string;
  readonly socketDir: string;
  readonly refFormat: RefFormat;
  readonly inDoubtMs: number;
  readonly upkeep: Upkeep;
  /** How many rows the pull log gets in a second. */
  readonly pullLogRate: number;
  readonly hookAddresses: BlockList | undefined;
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly life: Lifetime;
}

/**
 * Takes the device over and makes the context of its new sidecar. `interrupted`: repositories in which the sidecar
 * before it had a write under way. Throws what `acquireLease` throws.
 */
export async function makeContext(request: ContextRequest): Promise<{ context: SyncContext; interrupted: string[] }> {
  const { db, device, root, zone, log, life } = request;
  const { record, lockFd } = root;
  const { grpcAddress, gitAddress, sshAddress, sshUser } = request;
  const wanted = { device, rootId: record.rootId, grpcAddress, gitAddress, sshAddress, sshUser, zone };
  const { me, previousFence, interrupted, lease } = await acquireLease(db, wanted, log, life.stopping);
  const bootId = await currentBoot();
  const epoch = nextEpoch(record, bootId, previousFence);
  await writeRootRecord(root.path, { ...record, fence: String(me.fence), bootId, pid: request.pid, epoch });
  const tail = new LogTail(
    (after) => readProvenTail(db, lease, after),
    (error) => tellFailure({ db, log }, error, "could not read the tail of the log"),
  );
  const announce = async (ids: string[]) => {
    // Only the other devices hear a notification.
    tail.wake();
    await notifyHeads(db, device, ids);
  };
  const holdings = new Holdings(db);
  const { metrics } = request;
  const replicas = new Replicas(root.path, (waitedMs, heldMs) => metrics.heldMutex(waitedMs, heldMs));
  life.over.addEventListener("abort", () => replicas.endGits(), { once: true });
  const askHeads = (names: string[]) => metrics.askedDatabase(() => readProvenHeads(db, lease, device, names));
  const heads = new HeadReader(askHeads);
  metrics.limits.tell("head_questions", QUEUE_LIMIT, () => heads.waiting);
  const context: SyncContext = {
    db,
    me,
    zone,
    git: { ...request.git, lockFd },
    policies: new ReceivePolicies(join(root.path, STATE_DIR)),
    root: root.path,
    socketDir: request.socketDir,
    refFormat: request.refFormat,
    shim: root.shim.path,
    epoch,
    replicas,
    holds: (device, which) => holdings.holds(device, which),
    fetchable: new Fetchable(db),
    sessions: new Sessions(),
    heads,
    lease,
    metrics,
    events: new EventLog({
      pullsPerRound: request.pullLogRate,
      onDropped: (log, count) => metrics.eventsDropped(log, count),
    }),
    announcer: new Announcer(announce, log),
    tail,
    openPack: request.openPack,
    requestHold: request.requestHold,
    askDirectory: request.askDirectory,
    ssh: request.ssh,
    gitCredentials: request.gitCredentials,
    warnings: request.warnings,
    log,
    signal: life.over,
    onFenced: life.onFenced,
    inDoubtMs: request.inDoubtMs,
    upkeep: request.upkeep,
    hookAddresses: request.hookAddresses,
  };
  return { context, interrupted };
}
