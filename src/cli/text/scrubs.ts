// How commands show scrubs: when every object of a replica was last read, and what that found.
import type { Scrub__Output as Scrub } from "../../generated/lockstep/v1/Scrub.ts";
import { table } from "../terminal/styled.ts";
import { instant, moment } from "./times.ts";

/** Returns a scrub as --json prints it. */
export function documentOfScrub({ at, differences, damage, failure, overdue }: Scrub) {
  return { at: at ? instant(at) : null, differences, damage, failure: failure || null, overdue };
}

/** Returns scrubs as a person reads them; empty when there is none to tell of. */
export function describeScrubs(scrubs: readonly Scrub[]): string {
  if (scrubs.length === 0) return "";
  const rows = scrubs.map((scrub) => [scrub.repository, scrub.device, describe(scrub)]);
  return `These replicas were damaged when all their objects were last read, or that is too long ago.\n${table(["repository", "device", "what"], rows)}`;
}

function describe({ at, differences, damage, failure, overdue }: Scrub): string {
  const found = [differences > 0 ? `${differences} refs` : "", ...damage].filter(Boolean).join(", ");
  const outcome = failure ? `not repaired: ${failure}` : "repaired";
  return [
    found || failure ? `${found || "nothing"} (${outcome})` : "",
    at ? `read ${moment(at)}` : "never read",
    overdue ? "overdue" : "",
  ]
    .filter(Boolean)
    .join("; ");
}
