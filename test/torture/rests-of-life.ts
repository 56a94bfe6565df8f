// What renames, placements, adoptions and commands may leave behind: open commands, and files below the roots.
import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type pg from "pg";
import { plainGit } from "../support/plain-repository.ts";
import type { FaultContext } from "./fault-context.ts";
import type { Rest } from "./history.ts";
import { laterName } from "./placed.ts";

const NAMES = 3;
/** Commands that may be refused: plain git goes on pushing into a directory that is adopted. */
const MAY_FAIL = ["adopt"];
/** The entries of a root's own directory that stay while a sidecar lives, or are kept for people on purpose. */
const STAYS = /^(root\.json|lock|bin|asked|kept|packs|scratch|removed|damaged|foreign|misplaced)$/;

/** Returns the commands without an outcome, and those that failed. Files of released copies wait for days. */
export async function openCommands(db: pg.Client, ordered: ReadonlySet<string>): Promise<string[]> {
  const { rows: open } = await db.query(
    `select c.repository, c.device, c.command, c.state, c.attempts, c.last_error from lockstep.command c
       where c.state in ('queued', 'running') and (c.command <> 'destroy' or c.due_at < clock_timestamp())`,
  );
  const { rows: failed } = await db.query(
    `select c.repository, c.device, c.command, c.last_error from lockstep.command c
       where c.state = 'failed' and c.command <> all($1) and c.last_error !~ 'whose refs are those of no version'`,
    [MAY_FAIL],
  );
  const { rows: known } = await db.query("select id from lockstep.command where id = any($1)", [[...ordered]]);
  const ids = new Set(known.map(({ id }) => id));
  return [
    ...open.map(
      ({ repository, device, command, state, attempts, last_error }) =>
        `${command} of ${repository} on ${device} is ${state} after ${attempts} attempts: ${last_error}`,
    ),
    ...failed.map(
      ({ repository, device, command, last_error }) => `${command} of ${repository} on ${device} failed: ${last_error}`,
    ),
    ...[...ordered].filter((id) => !ids.has(id)).map((id) => `the command ${id} was acknowledged, and is not there`),
  ];
}

/** Returns what is left on the disks: directories under other names, given-up copies, and rests of the root's own. */
export async function restsOfRoots(
  { cluster, placed, movedIn }: FaultContext,
  repositories: readonly string[],
  db: pg.Client,
): Promise<Rest[]> {
  const { rows } = await db.query<{ id: string; device: string; state: string }>(
    "select repository_id as id, device, state from lockstep.replica",
  );
  // A device that left and joined again knows nothing of its old replicas, and lists them.
  const { rows: unknown } = await db.query<{ path: string }>("select path from lockstep.unknown_directory");
  const listed = new Set(unknown.map(({ path }) => path));
  const { rows: gone } = await db.query<{ device: string }>(
    "select distinct device from lockstep.audit where action = 'remove device'",
  );
  const rests: Rest[] = [];
  for (const { host } of cluster.members) {
    const left: string[] = [];
    const stateOf = (id: string | undefined) => rows.find((row) => row.id === id && row.device === host.name)?.state;
    for (const repository of repositories) {
      const place = placed.placeOf(repository);
      const holds = place?.holders.includes(host.name);
      for (let index = 0; index < NAMES; index += 1) {
        const name = laterName(repository, index);
        const isHere = existsSync(host.gitDir(name));
        if (isHere && !(holds && name === place?.name) && !listed.has(host.gitDir(name)))
          left.push(`${name}.git, which is not to be there`);
      }
      const state = stateOf(place?.id);
      if (!holds && state !== undefined && state !== "released" && state !== "destroyed")
        left.push(`a replica of ${repository} that is ${state} and not wanted`);
    }
    const own = join(host.device.demo.root, ".lockstep");
    for (const name of await readdir(own).catch(() => [])) if (!STAYS.test(name)) left.push(`.lockstep/${name}`);
    for (const name of await readdir(join(own, "scratch")).catch(() => [])) left.push(`.lockstep/scratch/${name}`);
    for (const name of await readdir(join(own, "removed")).catch(() => [])) {
      if (stateOf(name.slice(0, 36)) === "released" || gone.some(({ device }) => device === host.name)) continue;
      left.push(`.lockstep/removed/${name}`);
    }
    rests.push({ record: "rest", place: `the root of ${host.name}`, left });
  }
  for (const { repository, other, refs, movedAway } of movedIn) {
    if (other === undefined || movedAway || other.main === refs["refs/heads/main"] || !placed.placeOf(repository))
      continue;
    const gitDir = cluster.member(other.device).host.gitDir(repository);
    const lost = await plainGit(gitDir, ["for-each-ref", "--format=%(objectname)", "refs/lockstep/lost/"]).catch(
      String,
    );
    const left = lost.includes(other.main)
      ? []
      : [`the main branch ${other.main} of the moved-in directory is not kept`];
    rests.push({ record: "rest", place: gitDir, left });
  }
  return rests;
}
