// Starts PostgreSQL servers and streaming standbys of them. They come from Debian's package. LOCKSTEP_TEST_POSTGRES names
// the folder of other programs, such as those of another version (.ci/postgres-versions).
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { appendFile, chown, mkdir, mkdtemp, open, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type Tethered, tether } from "../../src/demo/tether.ts";
import { administer } from "./administer.ts";
import { freePort } from "./ports.ts";
import { findProgram } from "./programs.ts";
import { SOON } from "./soon.ts";

const POLL_MS = 50;
const NOBODY = 65_534;
const DEBIAN = "/usr/lib/postgresql";

export interface Server {
  readonly name: string;
  readonly url: string;
  readonly port: number;
  readonly process: Tethered;
}

/** Returns the reason why this machine cannot run such servers, or undefined if it can. */
export function replicationMissing(): string | undefined {
  if (process.env.LOCKSTEP_TEST_POSTGRES) return undefined;
  const found = findProgram("pg_basebackup", "postgresql");
  if ("missing" in found) return found.missing;
  return binaries() ? undefined : `there is no postgres below ${DEBIAN}`;
}

function binaries(): string | undefined {
  if (process.env.LOCKSTEP_TEST_POSTGRES) return process.env.LOCKSTEP_TEST_POSTGRES;
  try {
    const [newest] = readdirSync(DEBIAN).sort((a, b) => Number(b) - Number(a));
    return newest && join(DEBIAN, newest, "bin");
  } catch {
    return undefined;
  }
}

/** Servers with their files in one folder. Disposal ends the servers and removes the folder. */
export class PostgresServers implements AsyncDisposable {
  readonly #bin = binaries() as string;
  readonly #dir: string;
  readonly #user: { uid: number; gid: number } | undefined;
  readonly #env: Readonly<Record<string, string>>;
  readonly #running = new Set<Tethered>();

  private constructor(dir: string, env: Readonly<Record<string, string>>) {
    this.#dir = dir;
    this.#user = process.getuid?.() === 0 ? userIds("postgres") : undefined;
    this.#env = { PATH: process.env.PATH ?? "", LC_ALL: "C", TZ: "UTC", ...env };
  }

  /** Makes the folder. `env` is added to the environment of the servers. */
  static async create(env: Readonly<Record<string, string>> = {}): Promise<PostgresServers> {
    const servers = new PostgresServers(await mkdtemp(join(tmpdir(), "lockstep-replication-")), env);
    await servers.#own(servers.#dir);
    return servers;
  }

  /** Makes and starts an empty server. */
  async make(name: string, settings: readonly string[]): Promise<Server> {
    const data = join(this.#dir, name);
    this.#run("initdb", "-D", data, "-U", "lockstep", "-A", "trust", "--no-sync", "--locale=C");
    return await this.launch(name, await freePort(), settings);
  }

  /** Makes and starts a standby of `source`. Its application name is "standby". */
  async copy(source: Server, name: string, settings: readonly string[] = []): Promise<Server> {
    const data = join(this.#dir, name);
    await mkdir(data, { mode: 0o700 });
    await this.#own(data);
    const from = `host=127.0.0.1 port=${source.port} user=lockstep application_name=standby`;
    if (existsSync(join(this.#bin, "pg_basebackup")))
      this.#run("pg_basebackup", "-d", from, "-D", data, "-R", "--no-sync", "-c", "fast");
    else await this.#copyFiles(source, data, from);
    return await this.launch(name, await freePort(), settings);
  }

  /** Does what pg_basebackup does, which the npm packages of PostgreSQL lack. The source must keep its WAL. */
  async #copyFiles(source: Server, data: string, from: string): Promise<void> {
    const label = await administer(source.url, async (client) => {
      const { rows } = await client.query<{ old: boolean }>(
        "select current_setting('server_version_num')::int < 150000 as old",
      );
      const [begin, end] = rows[0]?.old
        ? ["pg_start_backup('copy', true, false)", "pg_stop_backup(false, false)"]
        : ["pg_backup_start('copy', true)", "pg_backup_stop(false)"];
      await client.query(`select ${begin}`);
      this.#spawn("cp", "-a", `${join(this.#dir, source.name)}/.`, data);
      return (await client.query<{ labelfile: string }>(`select labelfile from ${end}`)).rows[0]?.labelfile ?? "";
    });
    this.#spawn("find", join(data, "pg_wal"), join(data, "postmaster.pid"), "-maxdepth", "1", "-type", "f", "-delete");
    await appendFile(join(data, "postgresql.auto.conf"), `primary_conninfo = '${from}'\n`);
    for (const [name, content] of [
      ["backup_label", label],
      ["standby.signal", ""],
    ] as const) {
      await writeFile(join(data, name), content);
      await this.#own(join(data, name));
    }
  }

  /** Takes a base backup of a running server. */
  async backUp({ port }: Server, backup: string): Promise<void> {
    const data = join(this.#dir, backup);
    await mkdir(data, { mode: 0o700 });
    await this.#own(data);
    const from = `host=127.0.0.1 port=${port} user=lockstep`;
    this.#run("pg_basebackup", "-d", from, "-D", data, "--no-sync", "-c", "fast");
  }

  /** Starts a server on a copy of a backup. */
  async restore(backup: string, name: string): Promise<Server> {
    const [from, to] = [join(this.#dir, backup), join(this.#dir, name)];
    this.#spawn("cp", "-a", from, to);
    return await this.launch(name, await freePort(), []);
  }

  /** Starts a server that has been made. */
  async launch(name: string, port: number, settings: readonly string[]): Promise<Server> {
    const own = [`port=${port}`, "listen_addresses=127.0.0.1", "unix_socket_directories=", "max_connections=200"];
    // If a standby cannot reach its source, it tries again after 200 ms. By default it waits 5 s.
    const all = [...own, "wal_retrieve_retry_interval=200ms"];
    const args = [...all, ...settings].flatMap((setting) => ["-c", setting]);
    await using log = await open(join(this.#dir, `${name}.log`), "a");
    const argv = [join(this.#bin, "postgres"), "-D", join(this.#dir, name), ...args];
    const process = await tether(argv, { env: this.#env, user: this.#user, log: log.fd });
    this.#running.add(process);
    const url = `postgres://lockstep@127.0.0.1:${port}/postgres`;
    await soon(() => administer(url, (client) => client.query("select 1")));
    return { name, url, port, process };
  }

  /** Returns the end of the server's log. */
  async logEnd({ name }: Server): Promise<string> {
    return (await readFile(join(this.#dir, `${name}.log`), "utf8")).slice(-1_000);
  }

  /** Stops the server in order and removes its files. */
  async remove({ name, process }: Server): Promise<void> {
    process.cut();
    await process.gone;
    this.#running.delete(process);
    await rm(join(this.#dir, name), { recursive: true, force: true, maxRetries: 3 });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of this.#running) server.cut();
    await Promise.all([...this.#running].map(({ gone }) => gone));
    await rm(this.#dir, { recursive: true, force: true, maxRetries: 3 });
  }

  /** Runs a program of PostgreSQL. */
  #run(program: string, ...args: string[]): void {
    this.#spawn(join(this.#bin, program), ...args);
  }

  /** Runs a program as the user of the servers. */
  #spawn(program: string, ...args: string[]): void {
    const options = { cwd: this.#dir, encoding: "utf8" as const, ...this.#user };
    const { status, stderr } = spawnSync(program, args, options);
    if (status !== 0) throw new Error(`${program} ended with ${status}: ${stderr}`);
  }

  async #own(path: string): Promise<void> {
    if (this.#user) await chown(path, this.#user.uid, this.#user.gid);
  }
}

/** Runs a statement on a new connection and returns its rows. */
export async function sql<Row extends object>({ url }: Server, text: string): Promise<Row[]> {
  return await administer(url, async (client) => (await client.query<Row>(text)).rows);
}

/** Repeats `attempt` until it succeeds. After half a minute, throws its last error. */
export async function soon<T>(attempt: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + SOON.timeout;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await delay(POLL_MS);
    }
  }
}

/** Returns the ids of a user, or those of `nobody` if there is no such user. */
function userIds(name: string): { uid: number; gid: number } {
  const id = (flag: string) => Number(spawnSync("id", [flag, name], { encoding: "utf8" }).stdout.trim() || NOBODY);
  return { uid: id("-u"), gid: id("-g") };
}
