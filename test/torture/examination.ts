// Records the final state of the database and the disks in the history.
import { execFile } from "node:child_process";
import { readdir } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import type pg from "pg";
import { describe } from "../../src/errors.ts";
import { administer } from "../support/administer.ts";
import type { FaultContext } from "./fault-context.ts";
import type { HistoryRecord, LogVersion, Value } from "./history.ts";
import { firstNameOf } from "./placed.ts";
import { refsOnDisk } from "./refs-on-disk.ts";
import { openCommands, restsOfRoots } from "./rests-of-life.ts";

const run = promisify(execFile);
/** Within this time followers catch up, and failed writes are dropped. */
const SETTLED_MS = 60_000;
const POLL_MS = 250;
const VERIFIED_MS = 60_000;

/** Examines everything when it has come to rest, or at the end of SETTLED_MS. */
export async function examine(context: FaultContext, repositories: readonly string[]): Promise<HistoryRecord[]> {
  return await administer(context.cluster.databaseUrl, async (db) => {
    const deadline = Date.now() + SETTLED_MS;
    for (;;) {
      await context.placed.refresh();
      const found = await look(context, repositories, db);
      if (isAtRest(found) || Date.now() > deadline)
        return [...(await logOf(db, context, repositories)), ...found, ...(await verify(context, repositories))];
      await delay(POLL_MS);
    }
  });
}

async function look(context: FaultContext, repositories: readonly string[], db: pg.Client): Promise<HistoryRecord[]> {
  const { cluster, placed } = context;
  const records: HistoryRecord[] = [
    { record: "rest", place: "the database", left: await undecided(db) },
    { record: "rest", place: "the queue", left: await openCommands(db, context.ordered) },
    ...(await restsOfRoots(context, repositories, db)),
  ];
  for (const repository of repositories) {
    const name = placed.nameOf(repository);
    records.push({ record: "refs", repository, place: "fold", refs: await foldOf(db, name) });
    for (const { host } of cluster.members) {
      if (!placed.holdersOf(repository)?.includes(host.name)) continue;
      const gitDir = host.gitDir(name);
      records.push({ record: "refs", repository, place: host.name, refs: await refsOnDisk(gitDir) });
      records.push({ record: "rest", place: gitDir, left: [...(await leftIn(gitDir)), ...(await damageOf(gitDir))] });
    }
  }
  return records;
}

function isAtRest(found: readonly HistoryRecord[]): boolean {
  const folds = new Map(
    found.flatMap((each) => (each.record === "refs" && each.place === "fold" ? [[each.repository, each.refs]] : [])),
  );
  const inOrder = (refs: Readonly<Record<string, string>> = {}) => JSON.stringify(Object.entries(refs).toSorted());
  return found.every((each) => {
    if (each.record === "rest") return each.left.length === 0;
    return each.record !== "refs" || inOrder(each.refs) === inOrder(folds.get(each.repository));
  });
}

/** Asks each sidecar to verify its replicas with every object, and records the findings. */
async function verify({ cluster, placed }: FaultContext, repositories: readonly string[]): Promise<HistoryRecord[]> {
  const records: HistoryRecord[] = [];
  for (const { host } of cluster.members) {
    for (const repository of repositories) {
      if (!placed.holdersOf(repository)?.includes(host.name)) continue;
      const request = { repository: placed.nameOf(repository), full: true };
      const left = await host.device.call("VerifyReplica", request, { timeoutMs: VERIFIED_MS }).then(
        ({ differences, damage, failure }) => [
          ...differences.map((each) => `a difference: ${JSON.stringify(each)}`),
          ...damage.map((each) => `damage: ${each}`),
          ...(failure ? [failure] : []),
        ],
        (error: unknown) => [`it failed: ${describe(error)}`],
      );
      records.push({ record: "rest", place: `${repository} on ${host.name}, by verify`, left });
    }
  }
  return records;
}

async function undecided(db: pg.Client): Promise<string[]> {
  const { rows: writes } = await db.query("select id, device from lockstep.write where status = 'staged'");
  const { rows: turns } = await db.query("select write_id, device, reason from lockstep.turn");
  const { rows: stopped } = await db.query("select name, stopped from lockstep.repository where stopped is not null");
  const { rows: locks } = await db.query("select reason from lockstep.write_stop");
  const { rows: replicas } = await db.query(
    `select r.name, p.device, p.state, p.version, r.head_version, p.last_error from lockstep.replica p
     join lockstep.repository r on r.id = p.repository_id 
     where p.state in ('pending', 'broken') or (p.state = 'active' and p.version <> r.head_version)`,
  );
  return [
    ...stopped.map(({ name, stopped }) => `${name} is stopped: ${stopped}`),
    ...locks.map(({ reason }) => `writes are refused: ${reason}`),
    ...replicas.map(
      ({ name, device, state, version, head_version, last_error }) =>
        `${name} on ${device} is ${state} at ${version} of ${head_version}: ${last_error}`,
    ),
    ...writes.map(({ id, device }) => `the write ${id} of ${device} is staged`),
    ...turns.map(({ write_id, device, reason }) => `the turn of ${write_id} on ${device} (${reason})`),
  ];
}

async function foldOf(db: pg.Client, repository: string): Promise<Record<string, string>> {
  const { rows } = await db.query<{ name: Buffer; value: Buffer }>(
    `select f.name, f.value from lockstep.repository_ref f join lockstep.repository r on r.id = f.repository_id
     where r.name = $1`,
    [repository],
  );
  const refs = rows.map(({ name, value }) => [name.toString("latin1"), value.toString("latin1")] as const);
  return Object.fromEntries(refs);
}

async function logOf(db: pg.Client, { placed }: FaultContext, repositories: readonly string[]): Promise<LogVersion[]> {
  type Row = { repository: string; version: string; name: Buffer; old_value: Buffer | null; new_value: Buffer | null };
  const { rows } = await db.query<Row>(
    `select r.name as repository, l.version, u.name, u.old_value, u.new_value from lockstep.repository r
     join lockstep.ref_log l on l.repository_id = r.id
     join lockstep.ref_log_update u on u.repository_id = r.id and u.version = l.version
     where r.name = any($1) order by r.name, l.version`,
    [repositories.map((each) => placed.nameOf(each))],
  );
  const log = new Map<string, LogVersion & { changes: LogVersion["changes"][number][] }>();
  const decoded = (bytes: Buffer | null): Value => bytes?.toString("latin1") ?? null;
  for (const { repository: present, version, name, old_value, new_value } of rows) {
    const repository = firstNameOf(present);
    const key = `${repository} ${version}`;
    const entry = log.get(key) ?? { record: "log" as const, repository, version: Number(version), changes: [] };
    log.set(key, entry);
    entry.changes.push({ ref: name.toString("latin1"), old: decoded(old_value), new: decoded(new_value) });
  }
  return [...log.values()];
}

async function git(gitDir: string, ...args: string[]): Promise<{ stdout: string; stderr: string }> {
  const env = {
    PATH: process.env.PATH ?? "/usr/bin:/bin",
    HOME: gitDir,
    LC_ALL: "C",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_NO_REPLACE_OBJECTS: "1",
  };
  const options = { cwd: gitDir, env, maxBuffer: 1 << 26 };
  return await run("git", ["-c", "safe.directory=*", ...args], options).catch((error) => ({
    stdout: error.stdout ?? "",
    stderr: `${error.stderr ?? ""}${error.message}`,
  }));
}

/** Returns the locks, and the quarantines of sidecars. */
async function leftIn(gitDir: string): Promise<string[]> {
  const files = await readdir(gitDir, { recursive: true }).catch(() => ["nothing can be read"]);
  return files.filter((name) => name.endsWith(".lock") || /(^|\/)tmp_objdir-lockstep-[^/]*$/.test(name));
}

async function damageOf(gitDir: string): Promise<string[]> {
  const { stdout, stderr } = await git(gitDir, "fsck", "--full", "--no-dangling", "--no-progress");
  const said = `${stdout}${stderr}`.split("\n").filter((line) => line !== "" && !line.startsWith("notice:"));
  const damage: string[] = [];
  for (const line of said) if (!(await isLooseEnd(gitDir, line))) damage.push(line);
  const isOnlyTheExit = damage.length < said.length && damage.every((line) => line.startsWith("Command failed: "));
  return isOnlyTheExit ? [] : damage.slice(0, 20);
}

/** Returns true for a complaint of fsck about a symbolic ref that leads nowhere, which a session may make. */
async function isLooseEnd(gitDir: string, line: string): Promise<boolean> {
  const name = /^error: (\S+): invalid sha1 pointer 0+\.?$/.exec(line)?.[1];
  return name !== undefined && /^refs\//.test((await git(gitDir, "symbolic-ref", "--quiet", name)).stdout);
}
