// Starts a PgBouncer in transaction mode before a test's database, on its own unix socket. It either logs in as one user
// for everybody, or passes the login of each client on, as docs/security.md says.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chown, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { administer } from "./administer.ts";
import { documented } from "./documented.ts";
import { SOON } from "./soon.ts";

/** The id of user `nobody`, because PgBouncer refuses to run as root. */
const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;

export interface Pooler extends AsyncDisposable {
  /** The URL of the database through the pooler. */
  readonly url: string;
  /** Kills the pooler, as a crash of its machine does. */
  kill(): Promise<void>;
}

/**
 * Starts the program at `path` before the database of `url`, with at most `poolSize` connections to it. It logs in as
 * the user of `url` for everybody.
 */
export async function startPooler(path: string, url: string, poolSize: number): Promise<Pooler> {
  const address = (dir: string) => `postgres://lockstep@${encodeURIComponent(dir)}:6432/pooled`;
  return await start(path, address, async (dir) => ({
    "pgbouncer.ini": configuration(new URL(url), dir, poolSize),
  }));
}

/**
 * Starts the program at `path` before all databases on the server of `url`, with the configuration of docs/security.md.
 * Each client reaches the server with its own login. `asker`: the role that looks the passwords up.
 */
export async function startPoolerOfLogins(
  path: string,
  url: string,
  asker: { readonly user: string; readonly password: string },
): Promise<Pooler> {
  const { hostname, port, pathname } = new URL(url);
  const places = { "host=db": `host=${hostname}`, "port=5432": `port=${port || "5432"}` };
  const address = (dir: string) => {
    const pooled = new URL(`postgres://${asker.user}:${asker.password}@localhost:6432${pathname}`);
    pooled.searchParams.set("host", dir);
    return pooled.href;
  };
  return await start(path, address, async (dir) => ({
    "pgbouncer.ini": await documented(
      "ini",
      {
        ...places,
        "listen_addr = *": `listen_addr =\nunix_socket_dir = ${dir}\nlogfile = ${dir}/log`,
        "/etc/pgbouncer/userlist.txt": join(dir, "userlist.txt"),
        "auth_user = pgbouncer": `auth_user = ${asker.user}`,
      },
      "security.md",
    ),
    "userlist.txt": `"${asker.user}" "${asker.password}"\n`,
  }));
}

/** Starts the program with these files. `address` returns the URL that is asked until the pooler answers. */
async function start(
  path: string,
  address: (dir: string) => string,
  filesIn: (dir: string) => Promise<Record<string, string>>,
): Promise<Pooler> {
  const dir = await mkdtemp(join(tmpdir(), "lockstep-pooler-"));
  const files = Object.entries(await filesIn(dir)).map(([name, content]) => [join(dir, name), content] as const);
  for (const [file, content] of files) await writeFile(file, content);
  const config = join(dir, "pgbouncer.ini");
  if (isRoot) await Promise.all([dir, ...files.map(([file]) => file)].map((each) => chown(each, NOBODY, NOBODY)));
  const child = spawn(path, [config], {
    stdio: ["ignore", "ignore", "ignore"],
    ...(isRoot && { uid: NOBODY, gid: NOBODY }),
  });
  const exited = once(child, "exit");
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (child.kill(signal)) await exited;
  };
  const pooler: Pooler = {
    url: address(dir),
    kill: () => end("SIGKILL"),
    async [Symbol.asyncDispose]() {
      await end("SIGTERM");
      await rm(dir, { recursive: true });
    },
  };
  try {
    await answers(child, pooler.url);
    return pooler;
  } catch (cause) {
    const log = await readFile(join(dir, "log"), "utf8").catch(() => "it has no log");
    await pooler[Symbol.asyncDispose]();
    throw new Error(`pgbouncer did not start: ${log}`, { cause });
  }
}

/** Returns the configuration. It ignores and tracks only PgBouncer's defaults, so session state shows as an error. */
function configuration(database: URL, dir: string, poolSize: number): string {
  const target = {
    host: database.hostname,
    port: database.port || "5432",
    dbname: database.pathname.slice(1),
    user: database.username,
    password: database.password,
  };
  const words = Object.entries(target).map(([key, value]) => `${key}='${decodeURIComponent(value)}'`);
  return `[databases]
pooled = ${words.join(" ")}
[pgbouncer]
pool_mode = transaction
default_pool_size = ${poolSize}
max_client_conn = 200
auth_type = any
listen_addr =
unix_socket_dir = ${dir}
listen_port = 6432
logfile = ${dir}/log
`;
}

async function answers(child: ChildProcess, url: string): Promise<void> {
  const deadline = Date.now() + SOON.timeout;
  for (;;) {
    try {
      return await administer(url, async (client) => void (await client.query("select 1")));
    } catch (error) {
      if (child.exitCode !== null || Date.now() > deadline) throw error;
      await delay(20);
    }
  }
}
