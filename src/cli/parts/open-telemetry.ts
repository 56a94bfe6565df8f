import type { Logger } from "pino";
import { lookForOpenTelemetry } from "../../tracing/tracing.ts";

/** Looks whether an SDK of OpenTelemetry was loaded before this program, and tells the log which work gets spans. */
export async function tellOfOpenTelemetry(log: Logger, work: string): Promise<void> {
  const found = await lookForOpenTelemetry();
  if (found === "ready") log.info(`OpenTelemetry gets spans of ${work}`);
  if (found === "no api")
    log.warn(
      "an SDK of OpenTelemetry is loaded, but there are no spans: Lockstep finds no @opentelemetry/api; install it beside git-lockstep",
    );
}
