// Asks a device that has given its copy of a repository up for a read.
import { setTimeout as delay } from "node:timers/promises";
import { LockstepError } from "../../src/errors.ts";
import { administer } from "../support/administer.ts";
import type { FaultContext } from "./fault-context.ts";
import type { Elsewhere } from "./history.ts";

const CALL_MS = 8_000;
const RETRY_MS = 200;

/** What the database says of a copy. */
interface Copy {
  readonly state: string;
  readonly changedAt: string;
  /** The name that the repository has, or had when it was removed. */
  readonly name: string;
  readonly removed: boolean;
  /** How often the repository has been renamed, removed and restored. A late answer to an earlier call counts too. */
  readonly moves: string;
}

const COPY = `
  select p.state, p.updated_at::text as "changedAt", coalesce(r.removed_name, r.name) as name,
    r.removed_at is not null as removed,
    (select count(*) from lockstep.audit a
      where a.action in ('rename', 'remove', 'restore') and (a.repository = $3 or a.repository like $3 || '-n%')) as moves
  from lockstep.replica p join lockstep.repository r on r.id = p.repository_id
  where p.repository_id = $1 and p.device = $2`;

/**
 * Waits until a device has given its copy up, and asks it for a read. Records what it answers, unless the copy or the
 * repository changed between the looks before and after: then any answer may be right.
 */
export async function askElsewhere(
  { cluster, placed, recorder }: FaultContext,
  repository: string,
  device: string,
  withinMs: number,
): Promise<string> {
  const id = placed.placeOf(repository)?.id;
  const look = async (): Promise<Copy | undefined> =>
    await administer(cluster.databaseUrl, (db) => db.query<Copy>(COPY, [id, device, repository])).then(
      ({ rows }) => rows[0],
      () => undefined,
    );
  const deadline = Date.now() + withinMs;
  let before = await look();
  while (before === undefined || !isGivenUp(before)) {
    if (Date.now() > deadline) return "still has its copy";
    await delay(RETRY_MS);
    before = await look();
  }
  const { name, removed } = before;
  const { device: asked } = cluster.member(device).host;
  const code = await asked.call("BeforeRead", { repository: name }, { timeoutMs: CALL_MS }).then(
    () => "served",
    (error: unknown) => (error instanceof LockstepError ? error.code : "UNKNOWN"),
  );
  const at = recorder.now();
  if (JSON.stringify(await look()) !== JSON.stringify(before)) return "has changed meanwhile";
  const answer: Elsewhere = { record: "elsewhere", repository, device, at, removed, code };
  recorder.records.push(answer);
  return `answered ${code}${removed ? " about a removed repository" : ""}`;
}

function isGivenUp({ state }: Copy): boolean {
  return state === "released" || state === "destroyed";
}
