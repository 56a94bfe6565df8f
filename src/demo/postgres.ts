// Starts a PostgreSQL server for the demo and the tests. The server listens on 127.0.0.1 only and keeps fsync on. It
// ends with this process, even after SIGKILL (tether.ts).
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { chmod, chown, mkdir, open, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { LockstepError } from "../errors.ts";
import { freePorts } from "./ports.ts";
import { postgresBinaries } from "./postgres-binaries.ts";
import { PASSAGE, type PostgresHome, postgresHome } from "./postgres-home.ts";
import { type Tethered, tether } from "./tether.ts";

const START_DEADLINE_MS = 30_000;
const POLL_MS = 5;
const RETRY_MS = 50;
const LOG_LINES_SHOWN = 12;
const SUPERUSER = "lockstep";
/**
 * Errors that pass: another process took the port, or the server of a killed process is still stopping on this data.
 */
const PASSING = /Address already in use|lock file ".*" already exists/;
const SETTINGS = [
  "listen_addresses=127.0.0.1",
  "unix_socket_directories=",
  // Every sidecar and every test holds a few connections.
  "max_connections=200",
];

export interface LocalPostgres extends AsyncDisposable {
  /** The URL of the database `postgres`, with the superuser and the password. */
  readonly url: string;
  /** The process id of the server's first process. */
  readonly pid: number;
  /** The folder of the server's files: DIR/postgres, or the target of that link (postgres-home.ts). */
  readonly directory: string;
}

export interface PostgresOptions {
  /** DIR/postgres holds all files of the server. A database that is there is used again. One server uses a folder. */
  readonly dir: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** True if this process runs as root. PostgreSQL then runs as another user (postgres-home.ts). */
  readonly isRoot: boolean;
  /** Cancels the start. It does not stop a server that has started; disposal does. */
  readonly signal?: AbortSignal;
  /** Settings of the server as NAME=VALUE, which take precedence over `SETTINGS`. */
  readonly settings?: readonly string[];
  /** Variables for the environment of the server's programs. */
  readonly serverEnv?: Readonly<Record<string, string>>;
}

/**
 * Starts a server and resolves when it takes connections. Disposal stops the server and resolves when it has ended.
 * Throws PREREQUISITE_MISSING if there is no PostgreSQL to run, or if it does not start; the error then has the end of
 * the server's log.
 */
export async function startPostgres({
  dir,
  env,
  isRoot,
  signal,
  settings = [],
  serverEnv = {},
}: PostgresOptions): Promise<LocalPostgres> {
  const home = await postgresHome(dir, isRoot);
  const launcher: Launcher = {
    home,
    bin: await postgresBinaries(home, env.PATH),
    // A new environment, because PGDATA and similar variables must not reach the server. With TZ=UTC initdb need not
    // search for the time zone.
    env: { PATH: env.PATH || "/usr/bin:/bin", LC_ALL: "C", TZ: "UTC", ...serverEnv },
    settings,
    signal,
  };
  signal?.throwIfAborted();
  if (!existsSync(home.cluster)) await initialise(launcher);
  const password = await readFile(join(home.cluster, "password"), "utf8");
  const { server, port } = await serve(launcher);
  return {
    url: `postgres://${SUPERUSER}:${password}@127.0.0.1:${port}/postgres`,
    pid: server.pid,
    directory: home.path,
    async [Symbol.asyncDispose]() {
      server.cut();
      await server.gone;
    },
  };
}

interface Launcher {
  readonly home: PostgresHome;
  readonly bin: string;
  readonly env: Readonly<Record<string, string>>;
  readonly settings: readonly string[];
  readonly signal: AbortSignal | undefined;
}

/** Starts a program with a new log, which holds only the output of this attempt. */
async function launch({ home, bin, env }: Launcher, program: string, args: string[]): Promise<Tethered> {
  await rm(home.log, { force: true });
  await using log = await open(home.log, "ax", 0o600);
  return await tether([join(bin, program), ...args], { env, user: home.user, log: log.fd });
}

async function initialise(launcher: Launcher): Promise<void> {
  const { home, signal } = launcher;
  const partial = `${home.cluster}.new`;
  const data = join(partial, "data");
  const password = join(partial, "password");
  await rm(partial, { recursive: true, force: true });
  await mkdir(data, { recursive: true });
  await chmod(partial, PASSAGE);
  await writeFile(password, randomBytes(24).toString("base64url"), { mode: 0o600 });
  if (home.user) {
    await chown(data, home.user.uid, home.user.gid);
    await chown(password, home.user.uid, home.user.gid);
  }
  const initdb = await launch(launcher, "initdb", [
    `--pgdata=${data}`,
    `--username=${SUPERUSER}`,
    `--pwfile=${password}`,
    "--auth=scram-sha-256",
    "--encoding=UTF8",
    "--locale=C",
    "--no-sync",
  ]);
  signal?.addEventListener("abort", initdb.cut, { once: true });
  const code = await initdb.gone;
  signal?.throwIfAborted();
  if (code !== 0) throw await failedError(home, "initdb");
  await rename(partial, home.cluster);
}

async function serve(launcher: Launcher): Promise<{ server: Tethered; port: number }> {
  const { home, signal } = launcher;
  const deadline = Date.now() + START_DEADLINE_MS;
  for (;;) {
    const [port] = (await freePorts(1)) as [number];
    const settings = [...SETTINGS, ...launcher.settings, `port=${port}`].flatMap((setting) => ["-c", setting]);
    const server = await launch(launcher, "postgres", ["-D", join(home.cluster, "data"), ...settings]);
    if (await becomesReady(server, port, launcher, deadline)) return { server, port };
    signal?.throwIfAborted();
    if (Date.now() >= deadline || !PASSING.test(await readFile(home.log, "utf8")))
      throw await failedError(home, "postgres");
    await delay(RETRY_MS);
  }
}

/**
 * Waits until the server is ready and returns true. At the deadline, or if the signal aborts, stops the server. Returns
 * false if the server has ended.
 */
async function becomesReady(
  server: Tethered,
  port: number,
  { home, signal }: Launcher,
  deadline: number,
): Promise<boolean> {
  let ended = false;
  void server.gone.then(() => {
    ended = true;
  });
  while (!ended) {
    if (await isReady(home, server.pid, port)) return true;
    if (signal?.aborted || Date.now() >= deadline) server.cut();
    await Promise.race([server.gone, delay(POLL_MS)]);
  }
  return false;
}

/** Reads the status file of the server, as pg_ctl does: process id in line 1, port in line 4, status in line 8. */
async function isReady(home: PostgresHome, pid: number, port: number): Promise<boolean> {
  const file = await readFile(join(home.cluster, "data", "postmaster.pid"), "utf8").catch(() => "");
  const lines = file.split("\n").map((line) => line.trim());
  return lines[0] === String(pid) && lines[3] === String(port) && lines[7] === "ready";
}

async function failedError(home: PostgresHome, program: string): Promise<LockstepError> {
  const end = (await readFile(home.log, "utf8")).trim().split("\n").slice(-LOG_LINES_SHOWN).join("\n");
  return new LockstepError(
    "PREREQUISITE_MISSING",
    `PostgreSQL does not start in ${home.path} (${program} ended or was late); mend what the end of its log says, or set ` +
      `LOCKSTEP_DATABASE_URL to use a server of yours:\n${end}`,
    { details: { program, directory: home.path } },
  );
}
