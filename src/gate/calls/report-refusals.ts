// Tells the sidecar which credentials of users the gate has refused, for the audit. The gate has no database.
import type { Logger } from "pino";
import type { Client } from "../../client/client.ts";
import { TEXT_LIMIT } from "../../domain.ts";
import { describe } from "../../errors.ts";
import { Tally } from "../../telemetry/tally.ts";
import type { RefusedUser } from "../users/users.ts";

/** Fewer than the sidecar counts apart, so that a flood at the gate hides no refusal of the sidecar's own. */
const KINDS_LIMIT = 50;
const GOODBYE_MS = 5_000;

/** Returns what counts refusals, and tells them to the sidecar a few times a minute. Nobody waits for that. */
export function refusalsOf(client: Client, log: Logger, timeoutMs: number): Tally<RefusedUser> {
  return new Tally<RefusedUser>({
    kindOf: ({ user, address, way, forbidden }) => `${address} ${way} ${forbidden} ${user}`,
    kinds: KINDS_LIMIT,
    rest: (refused) => ({ ...refused, user: "", address: "many addresses" }),
    async handOver(counted) {
      const refused = counted.map(({ thing: { user, address, way, forbidden, why }, count }) => ({
        ...{ user: fitting(user), address: fitting(address), way, forbidden },
        ...{ why: fitting(why), count },
      }));
      await client.call("ReportRefusals", { refused }, { timeoutMs });
    },
    onFailure: (error) =>
      log.warn({ err: describe(error) }, "could not tell the sidecar of refused credentials; they are told later"),
    goodbyeMs: GOODBYE_MS,
  });
}

/** Returns a text that a request may have. */
function fitting(text: string): string {
  const short = text.replaceAll("\0", "").slice(0, TEXT_LIMIT);
  // Not one half of a character.
  return short.replace(/[\ud800-\udbff]$/, "");
}
