// Tells the sidecar that a git has failed while it read for a client: objects may be damaged.
import type { Call, Client } from "../../client/client.ts";
import { describe } from "../../errors.ts";
import type { ServeOptions } from "../serve-options.ts";

/** Returns the function that tells it. Nobody waits for that. */
export function reportDamage(
  client: Client,
  log: ServeOptions["log"],
  patience: Call,
): Required<ServeOptions>["onReadFailed"] {
  return (repository, said) => {
    const failed = (error: unknown) =>
      log.warn({ repository, err: describe(error) }, "could not tell the sidecar that git failed");
    client.call("ReportDamage", { repository, said }, patience).catch(failed);
  };
}
