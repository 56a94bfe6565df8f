// Asks the sidecar before each read and each push.
import type { Client } from "../../client/client.ts";
import { toMs } from "../../protocol/times.ts";
import { traceParent } from "../../tracing/tracing.ts";
import type { ServeOptions } from "../serve-options.ts";

/** A read waits this long for a catch-up. If a first copy takes longer, the gate tells the client to come back. */
const PATIENCE_MS = 60_000;

/** Returns the question of a gate to its sidecar. */
export function askBeforeRead(client: Client): ServeOptions["beforeRead"] {
  return async (repository, { signal, forPush, since = "" }) => {
    const traceparent = traceParent();
    const options = { timeoutMs: PATIENCE_MS, signal, ...(traceparent && { traceparent }) };
    const asked = { repository, forPush, reportsReads: true, changesSince: since };
    const { unchanged, version, fetched, refsMark, changes } = await client.call("BeforeRead", asked, options);
    const ids = changes?.changes.map(({ name, objectId }) => [name.toString("latin1"), objectId] as const);
    return { unchangedMs: toMs(unchanged as never) ?? 0, version, fetched, refsMark, changes: ids && new Map(ids) };
  };
}
