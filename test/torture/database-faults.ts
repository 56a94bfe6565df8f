// Makes faults of PostgreSQL and of the connections to it.
import { setTimeout as delay } from "node:timers/promises";
import { administer } from "../support/administer.ts";
import type { Make } from "./fault-context.ts";

/** The fault waits this long for a statement to hold up. */
const SEARCH_MS = 4_000;
const DECISIONS = ["stage_write", "bump", "settle_write"];
const OTHERS = ["take_turn", "land_unchanged", "begin_session", "renew_lease", "confirm_reads"];
/** Statements of operators and of the queue. */
const OF_LIFE = [
  "rename_repository",
  "remove_repository",
  "restore_repository",
  "set_repository",
  "release_replica",
  "destroy_replica",
  "enqueue_command",
  "start_command",
  "end_command",
  "adopt",
  "drain_device",
  "undrain_device",
];
/**
 * The percentage of cases in which the sender waits for its statement. Else it is cut off, and the statement still
 * arrives.
 */
const WAITS = 40;

/** Delays the next statement of a kind. Meanwhile its sender may have asked again, settled the write, or ended. */
export const holdUpStatement: Make = async (_, { choice, lasts }, { database }, stop) => {
  const drawn = Math.floor(choice * 1_000);
  // Decisions come twice as often as the others.
  const names = [...DECISIONS, ...DECISIONS, ...OTHERS, ...OF_LIFE];
  const name = names[drawn % names.length]!;
  const client = Math.floor(drawn / names.length) % 100 < WAITS ? "waits" : "is cut off";
  const tooLate = AbortSignal.any([stop, AbortSignal.timeout(SEARCH_MS)]);
  const came = await database.holdUp(`lockstep.${name}(`, () => delay(lasts), client, tooLate);
  return came ? `${name} by ${lasts} ms, its client ${client}` : `no ${name} came`;
};

/** Holds a row that writes need in a foreign transaction. */
export const holdRow: Make = async ({ cluster, placed }, { repository, device, choice, lasts }) =>
  await administer(cluster.databaseUrl, async (client) => {
    await client.query("begin");
    const [what, text, name] =
      choice < 0.7
        ? ["the repository", "select 1 from lockstep.repository where name = $1 for update", placed.nameOf(repository)]
        : ["the device", "select 1 from lockstep.device where name = $1 for update", device];
    await client.query(text, [name]);
    await delay(lasts);
    await client.query("rollback");
    return `${what} ${name}`;
  });
