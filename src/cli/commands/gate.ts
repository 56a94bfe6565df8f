import type { Command } from "commander";
import { describe } from "../../errors.ts";
import { startGate } from "../../gate/gate.ts";
import type { Host } from "../../host.ts";
import { readHostNames } from "../../http/host-names.ts";
import { toMs } from "../../protocol/times.ts";
import { required, timerMs } from "../../settings/read-config.ts";
import { parseHostPort } from "../../settings/setting-checks.ts";
import { traceParent } from "../../tracing/tracing.ts";
import { prepare, subcommand } from "../terminal/command.ts";
import { untilGone } from "../terminal/exit-with-pid.ts";
import { readGateLimits } from "./gate-limits.ts";
import { GateReads } from "./gate-reads.ts";
import { refusalsOf } from "./gate-refusals.ts";
import { readGateUsers } from "./gate-users.ts";
import { watchGate } from "./gate-watched.ts";
import { tellOfOpenTelemetry } from "./open-telemetry.ts";

/** A read waits this long for a catch-up. If a first copy takes longer, the gate tells the client to come back. */
const READ_PATIENCE_MS = 60_000;

/** Makes the command `lockstep gate`. */
export function gateCommand(host: Host): Command {
  return subcommand(
    "gate",
    "serve smart HTTP to stock git, and ask the sidecar before each request",
    "lockstep gate --root /srv/git --gate-listen 127.0.0.1:7480",
  ).action(async (flags) => {
    const run = prepare(host, "gate", flags);
    const root = required(run.config, "root");
    await tellOfOpenTelemetry(run.log, "requests");
    const { users, tls } = await readGateUsers(run.config, run.log);
    const stop = untilGone(host, run.config["exit-with-pid"]);
    using client = await run.connect();
    const reads = new GateReads(client, run);
    await using watched = await watchGate(run.config, { client, tls, log: run.log });
    await using refusals = refusalsOf(client, run);
    await using gate = await startGate({
      ...parseHostPort(required(run.config, "gate-listen")),
      root,
      users,
      onRefused: (refused) => refusals.note(refused),
      ...watched?.options,
      onServed(served, error) {
        reads.note(served, error);
        watched?.options.onServed(served);
      },
      hostNames: readHostNames(run.config["host-names"] ?? ""),
      ...readGateLimits(run.config),
      ...(tls && { tls }),
      reloadMs: timerMs(required(run.config, "tls-reload-seconds")),
      connectionMs: timerMs(required(run.config, "tls-connection-seconds")),
      socketDir: required(run.config, "socket-dir"),
      beforeRead: async (repository, { signal, forPush, since = "" }) => {
        const traceparent = traceParent();
        const options = { timeoutMs: READ_PATIENCE_MS, signal, ...(traceparent && { traceparent }) };
        const asked = { repository, forPush, reportsReads: true, changesSince: since };
        const { unchanged, version, fetched, refsMark, changes } = await client.call("BeforeRead", asked, options);
        const ids = changes?.changes.map(({ name, objectId }) => [name.toString("latin1"), objectId] as const);
        return { unchangedMs: toMs(unchanged as never) ?? 0, version, fetched, refsMark, changes: ids && new Map(ids) };
      },
      onReadFailed(repository, said) {
        const failed = (error: unknown) =>
          run.log.warn({ repository, err: describe(error) }, "could not tell the sidecar that git failed");
        client.call("ReportDamage", { repository, said }, run.patience).catch(failed);
      },
      log: run.log,
      env: { PATH: host.env.PATH ?? "/usr/bin:/bin", HOME: host.env.HOME ?? "/" },
    });
    void tls?.keepLooking(stop);
    const telling = reads.keepTelling(stop);
    watched?.setServing(true);
    run.log.info({ url: gate.url, root }, "gate is open");
    await new Promise<void>((done) =>
      stop.aborted ? done() : stop.addEventListener("abort", () => done(), { once: true }),
    );
    watched?.setServing(false);
    await telling;
  });
}
