// Faults of PostgreSQL and of what is on the way to it.
import { setTimeout as delay } from "node:timers/promises";
import { administer } from "../support/administer.ts";
import type { Make } from "./fault-context.ts";

/** How long a statement to hold up is waited for. */
const SEARCH_MS = 4_000;
const DECISIONS = ["stage_write", "bump", "settle_write"];
const OTHERS = ["take_turn", "land_unchanged", "begin_session", "renew_lease", "confirm_reads"];
/** In so many cases of a hundred the one that sent the statement waits for it; else it is cut off, and the statement comes all the same. */
const WAITS = 40;

/** The next statement of a kind is late: in the meantime whoever sent it may have asked again, settled, or ended. */
export const holdUpStatement: Make = async (_, { choice, lasts }, { database }, stop) => {
  const drawn = Math.floor(choice * 1_000);
  // Decisions twice as often as the others.
  const names = [...DECISIONS, ...DECISIONS, ...OTHERS];
  const name = names[drawn % names.length]!;
  const client = Math.floor(drawn / names.length) % 100 < WAITS ? "waits" : "is cut off";
  const tooLate = AbortSignal.any([stop, AbortSignal.timeout(SEARCH_MS)]);
  const came = await database.holdUp(`lockstep.${name}(`, lasts, client, tooLate);
  return came ? `${name} by ${lasts} ms, its client ${client}` : `no ${name} came`;
};

/** Somebody else's transaction holds a row that writes need. */
export const holdRow: Make = async ({ cluster }, { repository, device, choice, lasts }) =>
  await administer(cluster.databaseUrl, async (client) => {
    await client.query("begin");
    const [what, text, name] =
      choice < 0.7
        ? ["the repository", "select 1 from lockstep.repository where name = $1 for update", repository]
        : ["the device", "select 1 from lockstep.device where name = $1 for update", device];
    await client.query(text, [name]);
    await delay(lasts);
    await client.query("rollback");
    return `${what} ${name}`;
  });
