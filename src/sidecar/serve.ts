// The sidecar: builds everything, starts it in order, stops it in the reverse order. Nothing here decides anything.
import { setMaxListeners } from "node:events";
import { realpath } from "node:fs/promises";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "pino";
import { type Config, parseHostPort, required } from "../config.ts";
import { deviceName, type RefFormat } from "../domain.ts";
import { LockstepError } from "../errors.ts";
import { PackClient } from "../git/objects/pack-stream.ts";
import { ReceivePolicies } from "../git/policy.ts";
import { type GitContext, gitVersion } from "../git/process.ts";
import { installShim, tellShim } from "../git/root/install-shim.ts";
import { whereIs } from "../git/root/mount-point.ts";
import { checkRootLength, checkRootNames } from "../git/root/root-names.ts";
import { currentBoot, nextEpoch, openRoot, STATE_DIR, writeRootRecord } from "../git/root/root-record.ts";
import { servePacks } from "../git-port/server.ts";
import { serveHooks } from "../hook/server.ts";
import type { Host } from "../host.ts";
import { serveHttp } from "../http/server.ts";
import { makeDirectory } from "../io/disk.ts";
import { socketPath } from "../io/socket-path.ts";
import { serveRpc } from "../rpc/server.ts";
import { Database, queryRepeatable } from "../store/database/database.ts";
import { migrate } from "../store/database/migrate.ts";
import { listenForHeads, notifyHeads } from "../store/database/notifications.ts";
import { releaseLease } from "../store/device-lease.ts";
import { recordRoot } from "../store/device-root.ts";
import { Follower } from "../sync/catch-up/follower.ts";
import { patrol } from "../sync/catch-up/patrol.ts";
import type { SyncContext } from "../sync/device/context.ts";
import { handOver } from "../sync/device/hand-over.ts";
import { assertMounted } from "../sync/device/mounted-root.ts";
import { Replicas } from "../sync/device/replica.ts";
import { assertRoot } from "../sync/device/root.ts";
import { Sessions } from "../sync/device/sessions.ts";
import { Announcer } from "../sync/lease/announcer.ts";
import { HeadReader } from "../sync/lease/head-reader.ts";
import { acquireLease, type Lease } from "../sync/lease/lease.ts";
import { readProvenHeads } from "../sync/lease/read-proven-heads.ts";
import { beforeRead } from "../sync/read/before-read.ts";
import { endSessions } from "../sync/session/end-sessions.ts";
import { Metrics } from "../telemetry/metrics.ts";
import { readTls } from "../tls/device-files.ts";
import { prepareSocketDir, takeRoot } from "./take-root.ts";

/** From the signal to stop until what is under way is cut off: calls and pushes first, then what others still fetch. */
const GRACE_MS = 10_000;

/** A database that does not answer keeps nobody from stopping. */
const LEASE_GOODBYE_MS = 1_000;

/** Runs the sidecar until the host says stop. Throws what keeps it from starting, FENCED when it was replaced. */
export async function serve(config: Config, host: Host, logger: Logger): Promise<void> {
  const device = deviceName(required(config, "device"));
  const log = logger.child({ device });
  const givenRoot = required(config, "root");
  const url = required(config, "database-url");
  const socketDir = await prepareSocketDir(required(config, "socket-dir"));
  const { tls, trustDomain } = await readTls(config, device);
  const baseGit: GitContext = { path: host.env.PATH ?? "/usr/bin:/bin", home: host.env.HOME ?? "/", lockFd: null };
  const refFormat = required(config, "ref-format") as RefFormat;
  await gitVersion(baseGit, "/", refFormat);
  checkRootLength(givenRoot);
  const options = { url, applicationName: device };
  await migrate(url);
  await using db = new Database(options);
  await assertMounted(db, device, givenRoot);
  await makeDirectory(givenRoot);
  // As the kernel names it to the hooks, which say where they run.
  const root = await realpath(givenRoot);
  checkRootLength(root);

  const record = await openRoot(root, device);
  await checkRootNames(join(root, STATE_DIR));
  const shim = await installShim(root, host.execPath);
  if (!shim.native)
    log.warn("no C compiler was found when this was built: pushes go through the Node shim, about 50 ms slower each");
  await using lock = await takeRoot(root, device, record.pid, shim, db, host);
  await tellShim(shim, { root, socketDir });
  let serving: SyncContext | undefined;
  let held: Lease | undefined;
  let heads: HeadReader | undefined;
  const metrics = new Metrics({ headQueries: () => heads?.queries ?? 0 });
  await using http = await serveHttp(parseHostPort(required(config, "http-listen")), {
    serving: () => serving !== undefined,
    checks: {
      database: async () => void (await queryRepeatable(db.reads, "select 1")),
      root: () => assertRoot({ root, git: { ...baseGit, lockFd: lock.fd } }),
      lease: async () => await held?.prove(),
    },
    metrics: () => metrics.page(),
    log,
    beforeRead: async (repository, options) => {
      if (serving === undefined)
        throw new LockstepError("SHUTTING_DOWN", "The sidecar is starting or stopping; try again.");
      await beforeRead(serving, repository, options);
    },
  });

  const stopping = new AbortController();
  host.stop.addEventListener("abort", () => stopping.abort(), { once: true });
  if (host.stop.aborted) stopping.abort();
  const dead = new AbortController();
  // Everything that runs listens to it.
  setMaxListeners(0, dead.signal, stopping.signal);
  let fencedOff = false;
  const onFenced = () => {
    fencedOff = true;
    dead.abort(new LockstepError("FENCED", `Another sidecar has taken over device ${device}; this one ends.`));
    stopping.abort();
  };

  const gitListen = parseHostPort(required(config, "git-listen"));
  const advertise = config.advertise ?? gitListen.host;
  const { me, previousFence, interrupted, lease } = await acquireLease(
    db,
    {
      device,
      rootId: record.rootId,
      grpcAddress: `${advertise}:${parseHostPort(required(config, "listen")).port}`,
      gitAddress: `${advertise}:${gitListen.port}`,
      zone: config.zone ?? "",
    },
    log,
    stopping.signal,
  );
  held = lease;
  heads = new HeadReader((names) => readProvenHeads(db, lease, device, names));
  const bootId = await currentBoot();
  const epoch = nextEpoch(record, bootId, previousFence);
  const { mount, place = "" } = await whereIs(root);
  await recordRoot(db, me, { path: resolve(givenRoot), mount, place });
  await writeRootRecord(root, { ...record, fence: String(me.fence), bootId, pid: host.pid, epoch });

  const git: GitContext = { ...baseGit, lockFd: lock.fd };
  using packClient = new PackClient(tls, trustDomain);
  const context: SyncContext = {
    db,
    me,
    zone: config.zone ?? "",
    git,
    policies: new ReceivePolicies(join(root, STATE_DIR)),
    root,
    socketDir,
    refFormat,
    shim: shim.path,
    epoch,
    replicas: new Replicas(root),
    sessions: new Sessions(),
    heads,
    lease,
    metrics,
    announcer: new Announcer((ids) => notifyHeads(db, device, ids), log),
    openPack: ({ device, gitAddress }, ...request) => packClient.open(device, gitAddress, ...request),
    requestHold: ({ device, gitAddress }, ...request) => packClient.hold(device, gitAddress, ...request),
    gitCredentials: {
      cert: required(config, "tls-cert"),
      key: required(config, "tls-key"),
      ca: required(config, "tls-ca"),
    },
    log,
    signal: dead.signal,
    onFenced,
    inDoubtMs: Number(required(config, "in-doubt-seconds")) * 1000,
  };
  await using packs = await servePacks(context, { listen: gitListen, tls, trustDomain });
  await using hooks = await serveHooks(context, socketPath(socketDir, "hook.sock"));
  const rpc = await serveRpc(context, {
    socketPath: socketPath(socketDir, "lockstep.sock"),
    listen: parseHostPort(required(config, "listen")),
    tls,
    trustDomain,
    log,
  });
  const follower = new Follower(context);
  const onHeads = (ids: string[]) => {
    context.sessions.turns.wake(context, ids);
    void follower.onHeads(ids);
  };
  const background = Promise.all([
    lease.keep({ onFenced, onFailOver: () => void follower.onReconnect() }, dead.signal),
    follower.run(),
    endSessions(context),
    patrol(context),
    listenForHeads(
      db,
      { ...options, url: config["notify-database-url"] ?? url },
      device,
      { onHeads, onReconnect: () => void follower.onReconnect() },
      dead.signal,
    ),
  ]);
  await follower.onStart(interrupted);
  rpc.setServing(true);
  serving = context;
  log.info({ root, grpc: rpc.port, git: packs.port, http: http.port, fence: String(me.fence) }, "serving");

  await aborted(stopping.signal);
  serving = undefined;
  rpc.setServing(false);
  log.info("stopping");
  const deadline = performance.now() + GRACE_MS;
  await Promise.all([rpc.stop(GRACE_MS), hooks.drain(GRACE_MS)]);
  await handOver(context, deadline - performance.now());
  dead.abort(new LockstepError("SHUTTING_DOWN", `The sidecar of device ${device} is stopping; ask another device.`));
  await background;
  if (fencedOff) throw dead.signal.reason;
  // Best effort: without it a successor on the same root takes over at once all the same.
  await Promise.race([releaseLease(db, me).catch(() => {}), sleep(LEASE_GOODBYE_MS, undefined, { ref: false })]);
  log.info("stopped");
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((done) =>
    signal.aborted ? done() : signal.addEventListener("abort", () => done(), { once: true }),
  );
}
