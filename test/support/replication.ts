// A PostgreSQL primary with a streaming standby, for fail-overs. Of Debian's package: the embedded one brings no pg_basebackup.
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { chown, mkdir, mkdtemp, open, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { vi } from "vitest";
import { type Tethered, tether } from "../../src/demo/tether.ts";
import { administer } from "./administer.ts";
import { freePort } from "./ports.ts";
import { findProgram } from "./programs.ts";

const SOON = { timeout: 30_000, interval: 50 };
const DEBIAN = "/usr/lib/postgresql";

export interface Replication extends AsyncDisposable {
  readonly primary: string;
  readonly standby: string;
  /** Commits wait for the standby from now on, or no longer. */
  setSynchronous(on: boolean): Promise<void>;
  /** Resolves when the standby has everything that the primary has. */
  standbyHasAll(): Promise<void>;
  /** The standby gets nothing any more. */
  disconnectStandby(): Promise<void>;
  /** The standby gets what it has missed. */
  reconnectStandby(): Promise<void>;
  /** The standby takes over; the old primary lives on and does not know. */
  promote(): Promise<void>;
  /** SIGKILL for the primary, and the standby takes over. */
  failOver(): Promise<void>;
}

/** Why there can be none here; undefined: there can. */
export function replicationMissing(): string | undefined {
  const found = findProgram("pg_basebackup", "postgresql");
  if ("missing" in found) return found.missing;
  return binaries() ? undefined : `there is no postgres below ${DEBIAN}`;
}

function binaries(): string | undefined {
  try {
    const [newest] = readdirSync(DEBIAN).sort((a, b) => Number(b) - Number(a));
    return newest && join(DEBIAN, newest, "bin");
  } catch {
    return undefined;
  }
}

/** Starts both, with an empty database. */
export async function startReplication(): Promise<Replication> {
  const bin = binaries() as string;
  const dir = await mkdtemp(join(tmpdir(), "lockstep-replication-"));
  const user = process.getuid?.() === 0 ? userIds("postgres") : undefined;
  if (user) await chown(dir, user.uid, user.gid);
  const run = (program: string, ...args: string[]) => {
    const { status, stderr } = spawnSync(join(bin, program), args, { cwd: dir, encoding: "utf8", ...user });
    if (status !== 0) throw new Error(`${program} ended with ${status}: ${stderr}`);
  };
  const servers = new Set<Tethered>();
  const launch = async (name: string, port: number, settings: readonly string[]) => {
    const all = [`port=${port}`, "listen_addresses=127.0.0.1", "unix_socket_directories=", "max_connections=200"];
    const args = [...all, ...settings].flatMap((setting) => ["-c", setting]);
    await using log = await open(join(dir, `${name}.log`), "a");
    const env = { PATH: process.env.PATH ?? "", LC_ALL: "C", TZ: "UTC" };
    const server = await tether([join(bin, "postgres"), "-D", join(dir, name), ...args], { env, user, log: log.fd });
    servers.add(server);
    await vi.waitFor(() => administer(url(port), (client) => client.query("select 1")), SOON);
    return server;
  };
  const [primaryPort, standbyPort] = [await freePort(), await freePort()];
  run("initdb", "-D", join(dir, "primary"), "-U", "lockstep", "-A", "trust", "--no-sync", "--locale=C");
  // The standby may come late to what it needs.
  const primary = await launch("primary", primaryPort, ["wal_keep_size=1GB"]);
  await mkdir(join(dir, "standby"), { mode: 0o700 });
  if (user) await chown(join(dir, "standby"), user.uid, user.gid);
  const source = `host=127.0.0.1 port=${primaryPort} user=lockstep application_name=standby`;
  run("pg_basebackup", "-d", source, "-D", join(dir, "standby"), "-R", "--no-sync", "-c", "fast");
  let standby = await launch("standby", standbyPort, []);
  const logEnd = async (name: string) => (await readFile(join(dir, `${name}.log`), "utf8")).slice(-1_000);
  const sql = async <Row extends object>(port: number, text: string) =>
    await administer(url(port), async (client) => (await client.query<Row>(text)).rows);
  const restartStandby = async (settings: readonly string[]) => {
    standby.cut();
    await standby.gone;
    standby = await launch("standby", standbyPort, settings);
  };
  const promote = async () => void (await sql(standbyPort, "select pg_promote()"));
  return {
    primary: url(primaryPort),
    standby: url(standbyPort),
    async setSynchronous(on) {
      await sql(primaryPort, `alter system set synchronous_standby_names = '${on ? "standby" : ""}'`);
      await sql(primaryPort, "select pg_reload_conf()");
      await vi.waitFor(async () => {
        const [row] = await sql<{ sync_state: string }>(primaryPort, "select sync_state from pg_stat_replication");
        if (row?.sync_state !== (on ? "sync" : "async"))
          throw new Error(`the standby is ${row?.sync_state}: ${await logEnd("standby")}`);
      }, SOON);
    },
    async standbyHasAll() {
      const [row] = await sql<{ lsn: string }>(primaryPort, "select pg_current_wal_flush_lsn()::text as lsn");
      await vi.waitFor(async () => {
        const [{ has } = { has: false }] = await sql<{ has: boolean }>(
          standbyPort,
          `select pg_last_wal_replay_lsn() >= '${row?.lsn}' as has`,
        );
        if (!has) throw new Error("the standby is behind");
      }, SOON);
    },
    disconnectStandby: () => restartStandby(["primary_conninfo="]),
    reconnectStandby: () => restartStandby([]),
    promote,
    async failOver() {
      process.kill(primary.pid, "SIGKILL");
      await primary.gone;
      await promote();
    },
    async [Symbol.asyncDispose]() {
      for (const server of servers) server.cut();
      await Promise.all([...servers].map(({ gone }) => gone));
      await rm(dir, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

function url(port: number): string {
  return `postgres://lockstep@127.0.0.1:${port}/postgres`;
}

function userIds(name: string): { uid: number; gid: number } {
  const id = (flag: string) => Number(spawnSync("id", [flag, name], { encoding: "utf8" }).stdout.trim());
  return { uid: id("-u"), gid: id("-g") };
}
