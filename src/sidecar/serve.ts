// The sidecar: builds everything, starts it in order, stops it in the reverse order. Nothing here decides anything.
import { realpath } from "node:fs/promises";
import { resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "pino";
import { describe, LockstepError } from "../errors.ts";
import { MakeWay } from "../git/hung/make-way.ts";
import type { GitContext } from "../git/process.ts";
import { tellShim } from "../git/root/install-shim.ts";
import { whereIs } from "../git/root/mount-point.ts";
import { checkRootLength } from "../git/root/root-names.ts";
import { gitVersion } from "../git/version.ts";
import { type HookServer, serveHooks } from "../hook/server.ts";
import type { Host } from "../host.ts";
import { serveHttp } from "../http/server.ts";
import { makeDirectory } from "../io/disk.ts";
import { socketPath } from "../io/socket-path.ts";
import { PackCache } from "../pack-cache/pack-cache.ts";
import { checkReplicaStates } from "../replica-states.ts";
import { type RpcServers, serveRpc } from "../rpc/server.ts";
import type { Config } from "../settings/config.ts";
import { WatchedSshKeys } from "../ssh/watched-keys.ts";
import { Database } from "../store/database/database.ts";
import { migrate } from "../store/database/migrate.ts";
import { releaseLease } from "../store/device/device-lease.ts";
import { recordRoot } from "../store/device/device-root.ts";
import { Follower } from "../sync/catch-up/follower.ts";
import type { SyncContext } from "../sync/device/context.ts";
import { handOver } from "../sync/device/hand-over.ts";
import { assertMounted } from "../sync/place/assert-root.ts";
import { followNames } from "../sync/place/follow-name.ts";
import { enrollSelf, type OwnKey } from "../sync/registry/enroll-self.ts";
import { enrollSshKeys } from "../sync/registry/enroll-ssh.ts";
import { Refusals } from "../sync/registry/refusals.ts";
import { Registry } from "../sync/registry/registry.ts";
import { Peers } from "../tls/peers.ts";
import { WAITS } from "../waits.ts";
import { openCredentials, ownKeyOf, useNewCredentials } from "./credentials.ts";
import { httpEndpoints, makeMetrics, type Progress } from "./http-endpoints.ts";
import { Lifetime } from "./lifetime.ts";
import { startLoops } from "./loops.ts";
import { makeContext } from "./make-context.ts";
import { readSettings } from "./read-settings.ts";
import { serveDevices } from "./serve-devices.ts";
import { prepareSocketDir } from "./socket-dir.ts";
import { takeRoot } from "./take-root.ts";
import { openWays } from "./ways.ts";

/** A database that does not answer keeps nobody from stopping. */
const LEASE_GOODBYE_MS = 1_000;

const SLOW_SHIM =
  "no C compiler was found when this was built: pushes go through the Node shim, about 50 ms slower each";

/** Runs the sidecar until the host says stop. Throws what keeps it from starting, FENCED when it was replaced. */
export async function serve(config: Config, host: Host, logger: Logger): Promise<void> {
  const settings = readSettings(config, host.env);
  const { device, databaseUrl, workConnections, trustsCa, tokenFile } = settings;
  const log = logger.child({ device });
  const socketDir = await prepareSocketDir(settings.socketDir, log);
  const credentials = await openCredentials(config, device, log);
  const { tls, trustDomain } = credentials.current;
  const git = gitContext(host);
  const found = await gitVersion(git, "/", settings.refFormat);
  checkRootLength(settings.root);
  checkReplicaStates();
  await migrate(databaseUrl, host.stop);
  await using db = new Database({ url: settings.databaseSource, applicationName: device, workConnections });
  await assertMounted(db, device, settings.root);
  await using root = await takeRoot(await makeRoot(settings.root), device, db, host);
  await using sshKeys = await WatchedSshKeys.open(settings, { directory: socketDir, path: git.path, log });
  if (!root.shim.native) log.warn(SLOW_SHIM);
  await tellShim(root.shim, { root: root.path, socketDir, ...settings.shimSettings });

  const progress: Progress = { context: undefined, serving: false, ownKey: () => undefined };
  const metrics = makeMetrics(progress, { db, device, root: root.path, credentials, git: found });
  const looked = { root: root.path, git: { ...git, lockFd: root.lockFd } };
  const known = { root: looked, hostNames: settings.hostNames, statusPage: settings.statusPage, device };
  const endpoints = httpEndpoints(progress, { db, metrics, log, credentials, ...known });
  await using http = await serveHttp(settings.httpListen, endpoints);
  const life = new Lifetime(device, host.stop);
  const own = ownKeyOf(credentials, { device, trustsCa, root: root.record.rootId, tokenFile, sshKeys });
  const registry = await openRegistry(db, own, log);
  progress.ownKey = () =>
    registry.serverRefusedError({ identity: { trustDomain, role: "device", name: device }, key: own.key });
  using ways = openWays({ ...settings, sshKeys, db, registry, root, tls, trustDomain, path: git.path });
  const { context, interrupted } = await makeContext({
    ...settings,
    ...{ db, root, git, pid: host.pid, socketDir, metrics, log, life },
    ...ways.asked,
    warnings: () => [...credentials.warnings, ...sshKeys.warnings],
  });
  progress.context = context;
  // Now the device has a row, which notes whether the others let it in.
  const later = ownKeyOf(credentials, { device, trustsCa, root: undefined, tokenFile, sshKeys });
  await enrollSelf(db, later, log);
  await recordPlace(context, settings.root);

  await followNames(context);
  await using refusals = new Refusals({ db, device, metrics, log });
  const { note: onRefused } = refusals;
  using peers = new Peers({ trustDomain, trust: registry, log, onRefused, maxAgeMs: settings.tlsConnectionMs });
  await using others = await serveDevices(context, { ...settings, socketDir, registry, tls, peers, onRefused });
  await using hooks = await serveShims(context, socketDir, settings.packCacheBytes);
  const rpcSocket = socketPath(socketDir, "lockstep.sock");
  const rpc = await serveRpc(context, {
    ...{ socketPath: rpcSocket, listen: settings.listen, tls, peers, onRefused, log },
    limits: settings.rpcLimits,
    accessOf: (caller) => registry.accessOf(caller),
  });
  const users = { ...others, ways, rpc, peers, graceMs: settings.tlsReloadMs };
  useNewCredentials(credentials, sshKeys, { db, own, log, ...users });
  const follower = new Follower(context);
  const loops = startLoops(context, follower, { life, notifyUrl: settings.notifySource, registry, own: later });
  const looks = [credentials, sshKeys].map((each) => each.keepLooking(life.over));
  const background = Promise.all([loops, ...looks]).then(() => {});
  await follower.onStart(interrupted);
  rpc.setServing(true);
  progress.serving = true;
  const ports = { grpc: rpc.port, git: others.gitPort?.port, http: http.port };
  log.info({ root: root.path, ...ports, fence: String(context.me.fence) }, "serving");

  await life.untilStopping();
  progress.serving = false;
  await stop(context, { rpc, hooks, life, background });
}

/** Serves the shims, with a cache of so many bytes of packs. */
async function serveShims(context: SyncContext, socketDir: string, limit: number): Promise<HookServer> {
  const { root, git, log, signal, metrics } = context;
  const count = (how: "made" | "shared" | "alone") => metrics.packServed(how);
  const packs = await PackCache.open({ root, git, limit, log, signal, count });
  metrics.limits.tell("pack_cache_bytes", limit, () => packs.bytes);
  return await serveHooks(context, socketPath(socketDir, "hook.sock"), packs);
}

/** Notes in the database on which disk the root lies. */
async function recordPlace({ db, me, root }: SyncContext, given: string): Promise<void> {
  const { mount, place = "" } = await whereIs(root);
  await recordRoot(db, me, { path: resolve(given), mount, place });
}

/**
 * Brings this device's own key into the registry, and makes the copy of the registry. A server that does not answer may
 * be an old primary: the lease finds the new one, and then both are done again.
 */
async function openRegistry(db: Database, own: OwnKey, log: Logger): Promise<Registry> {
  const registry = new Registry({ db, ...own, log });
  try {
    await enrollSelf(db, own, log);
    await enrollSshKeys(db, own, log);
    await registry.look();
  } catch (error) {
    if (!(error instanceof LockstepError && error.code === "DATABASE_UNAVAILABLE")) throw error;
    log.warn({ err: describe(error) }, "could not read the registry of keys yet");
  }
  return registry;
}

/** Returns how git is run where nothing is written. */
function gitContext(host: Host) {
  const makeWay = new MakeWay((pid, signal) => host.kill(pid, signal));
  const { PATH: path = "/usr/bin:/bin", HOME: home = "/" } = host.env;
  return { path, home, lockFd: null, makeWay } satisfies GitContext;
}

/** Other users of the machine read no repository in a root that the sidecar makes. */
const ROOT_MODE = 0o750;

/** Makes the root if it is missing. Returns its path as the kernel names it to the hooks, which say where they run. */
async function makeRoot(given: string): Promise<string> {
  await makeDirectory(given, ROOT_MODE);
  const root = await realpath(given);
  checkRootLength(root);
  return root;
}

/**
 * Finishes the work under way, hands over what nobody else has, and gives the lease back. Throws FENCED when the
 * process was replaced.
 */
async function stop(
  context: SyncContext,
  { rpc, hooks, life, background }: { rpc: RpcServers; hooks: HookServer; life: Lifetime; background: Promise<void> },
): Promise<void> {
  const { db, me, log } = context;
  rpc.setServing(false);
  log.info("stopping");
  const deadline = performance.now() + WAITS.stopGraceMs;
  await Promise.all([rpc.stop(WAITS.stopGraceMs), hooks.stop(WAITS.stopGraceMs)]);
  await handOver(context, deadline - performance.now());
  life.end();
  await background;
  if (life.fenced) throw life.over.reason;
  // Best effort: without it a successor on the same root takes over at once all the same.
  await Promise.race([releaseLease(db, me).catch(() => {}), sleep(LEASE_GOODBYE_MS, undefined, { ref: false })]);
  log.info("stopped");
}
