// Makes faults with a synchronous standby: it goes away, or it takes over while the old primary lives on.
import { setTimeout as delay } from "node:timers/promises";
import type pg from "pg";
import { administer } from "../support/administer.ts";
import type { TortureCluster } from "./cluster.ts";
import type { FaultContext, Make } from "./fault-context.ts";
import type { Pair } from "./torture-database.ts";

const POLL_MS = 50;
/** The ttl of a lease: so long a device may serve reads by the old primary's word. Meanwhile no clock jumps. */
const LEASE_MS = 15_000;
/** A cancelled wait is the one that looks like success, so it comes more often. */
const ENDS = ["pg_terminate_backend(pid)", "pg_cancel_backend(pid)", "SIGKILL", "pg_cancel_backend(pid)"];
/** The percentage of cases in which the standby comes back, and does not take over. */
const RETURNS = 35;

/**
 * Takes the standby away, so that commits wait, and ends some waiting sessions. Then the standby returns or takes over.
 */
export const loseStandby: Make = async ({ cluster }, { lasts, choice }, _, stop) => {
  const { pair, missing } = cluster.database;
  if (pair === undefined) return `not possible: ${missing}`;
  await pair.loseStandby();
  const how = ENDS[Math.floor(choice * 1_000) % ENDS.length]!;
  let ended = 0;
  const deadline = Date.now() + lasts;
  while (Date.now() < deadline && !stop.aborted) {
    ended += await administer(pair.url, (client) => endOneThatWaits(client, how)).catch(() => 0);
    await delay(POLL_MS);
  }
  const what = `${ended} waits ended by ${how}`;
  if (choice * 100 < RETURNS) {
    await pair.returnStandby();
    return `${what}, back again`;
  }
  const old = await pair.promote();
  old.kill();
  await settle(cluster, pair);
  await old.remove();
  return `${what}, and took over`;
};

/** Promotes the standby. One device still reaches only the old primary, or reaches it with its open connections. */
export const failOver: Make = async ({ cluster }: FaultContext, { device, lasts, choice }, { database }) => {
  const { pair, missing } = cluster.database;
  if (pair === undefined) return `not possible: ${missing}`;
  const old = await pair.promote();
  if (choice < 0.3) old.kill();
  for (const { host, database } of cluster.members) if (host.name !== device) database.retarget(pair.url);
  if (choice > 0.7) database.redirect(pair.url);
  await delay(lasts);
  await settle(cluster, pair, LEASE_MS - lasts);
  await old.remove();
  if (choice < 0.3) return "the old primary was killed";
  return `${device} went on with the old primary${choice > 0.7 ? " over open connections" : ""} for ${lasts} ms`;
};

/** Leads all devices to the new primary and gives it a standby. */
async function settle(cluster: TortureCluster, pair: Pair, pauseMs = LEASE_MS): Promise<void> {
  for (const { database } of cluster.members) database.retarget(pair.url);
  await delay(Math.max(0, pauseMs));
  await pair.addStandby();
}

/** Ends one session that waits for the standby. A decision comes first: its pusher is about to be told. */
async function endOneThatWaits(client: pg.Client, how: string): Promise<number> {
  const { rows } = await client.query<{ pid: number }>(
    `select pid from pg_stat_activity where wait_event = 'SyncRep' and application_name like 'lockstep repo%'
     order by (query like '%lockstep.bump(%') desc, random() limit 1`,
  );
  const [found] = rows;
  if (found === undefined) return 0;
  if (how === "SIGKILL") process.kill(found.pid, how);
  else await client.query(`select ${how} from (values (${found.pid})) as waiting (pid)`);
  return 1;
}
