// Checks the answers of devices that do not hold a repository.
import { type History, recordsOf } from "../history.ts";
import type { Verdict } from "./verdict.ts";

/** The answers of a device that cannot look now. */
const CANNOT_LOOK =
  /^(DATABASE_UNAVAILABLE|SIDECAR_UNAVAILABLE|SHUTTING_DOWN|FENCED|DEVICE_REMOVED|ROOT_GONE|QUEUE_FULL)$/;

/**
 * Checks that a device which has given its copy up serves no read. It says that it has none, or that the repository was
 * removed, if it was.
 */
export function elsewhere(history: History): Verdict {
  const asked = recordsOf(history, "elsewhere");
  const violations = asked
    .filter(({ code, removed }) => code !== (removed ? "REPOSITORY_NOT_FOUND" : "REPLICA_NOT_FOUND"))
    .filter(({ code }) => !CANNOT_LOOK.test(code))
    .map(({ device, repository, at, removed, code }) => ({
      what: `${device} has given its copy of ${removed ? "the removed " : ""}${repository} up, and answered ${code} to a read at ${Math.round(at)} ms.`,
      operations: [],
    }));
  // A run without such a change of placement has nothing to ask. What the devices hold in the end is always looked at.
  const looked = asked.length + recordsOf(history, "refs").length;
  return { check: "devices without a copy serve no read", looked, violations };
}
