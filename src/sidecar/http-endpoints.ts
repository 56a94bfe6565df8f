// What the plain HTTP port answers, also while the sidecar is starting or stopping.
import type { Logger } from "pino";
import { LockstepError } from "../errors.ts";
import { readRoom } from "../health/disk-room.ts";
import type { HostNames } from "../http/host-names.ts";
import type { HttpEndpoints } from "../http/server.ts";
import { ownVersion } from "../installation.ts";
import { StatusPage } from "../page/status-page.ts";
import { queueDepth } from "../store/command/find-commands.ts";
import { type Database, queryRepeatable } from "../store/database/database.ts";
import { knownSchemaLevel } from "../store/database/migrate.ts";
import { readClusterFigures } from "../store/operator/cluster-figures.ts";
import type { SyncContext } from "../sync/device/context.ts";
import { assertRoot } from "../sync/place/assert-root.ts";
import { beforeRead } from "../sync/read/before-read.ts";
import { Metrics } from "../telemetry/metrics.ts";
import { expiryOf } from "../tls/device-files.ts";
import type { WatchedCredentials } from "../tls/watched-credentials.ts";

/** How far the sidecar has come. */
export interface Progress {
  /** Since it has the lease of the device. */
  context: SyncContext | undefined;
  /** It takes calls. */
  serving: boolean;
  /** Returns why the other devices refuse this one, or undefined. */
  ownKey: () => LockstepError | undefined;
}

/** What the page of metrics reads when somebody asks for it. */
export interface PageSources {
  readonly db: Database;
  readonly device: string;
  readonly root: string;
  readonly credentials: WatchedCredentials;
  /** The version of git. */
  readonly git: string;
}

/** Makes the metrics of a sidecar. */
export function makeMetrics(progress: Progress, { db, device, root, credentials, git }: PageSources): Metrics {
  const metrics = new Metrics({
    headQueries: () => progress.context?.heads.queries ?? 0,
    commands: () => queueDepth(db, device),
    cluster: () => readClusterFigures(db),
    disk: () => readRoom(root),
    certificates: () => credentials.expiries,
    build: { version: ownVersion(), git, schema: String(knownSchemaLevel()) },
  });
  for (const name of ["reads", "work", "lease"] as const) {
    const pool = db[name];
    const used = () => pool.totalCount - pool.idleCount + pool.waitingCount;
    metrics.limits.tell(`database_${name}`, pool.options.max, used);
  }
  return metrics;
}

/** Makes the answers of the HTTP port, by what the sidecar has at that moment. */
export function httpEndpoints(
  progress: Progress,
  {
    db,
    root,
    metrics,
    log,
    credentials,
    hostNames,
    statusPage,
    device,
  }: {
    db: Database;
    root: Pick<SyncContext, "root" | "git">;
    metrics: Metrics;
    log: Logger;
    credentials: WatchedCredentials;
    hostNames: HostNames;
    statusPage: boolean;
    device: string;
  },
): HttpEndpoints {
  const page = statusPage ? new StatusPage({ db, device, context: () => progress.context, log }) : undefined;
  return {
    statusPage: page && ((path, parameters) => page.answer(path, parameters)),
    serving: () => progress.serving,
    hostNames,
    checks: {
      database: async () => void (await queryRepeatable(db.reads, "select 1")),
      root: () => assertRoot(root),
      key: async () => {
        const refusal = progress.ownKey();
        if (refusal) throw refusal;
      },
      certificate: async () => {
        const ended = expiryOf(credentials.current, Date.now());
        if (ended !== undefined) throw new Error(ended);
      },
      lease: async () => await progress.context?.lease.prove(),
    },
    metrics: () => metrics.page(),
    tellLimit: (...told) => metrics.limits.tell(...told),
    log,
    beforeRead: async (repository, options) => {
      if (!progress.serving || progress.context === undefined)
        throw new LockstepError("SHUTTING_DOWN", "The sidecar is starting or stopping; try again.");
      await beforeRead(progress.context, repository, options);
    },
  };
}
