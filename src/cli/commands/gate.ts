import type { Command } from "commander";
import { askBeforeRead } from "../../gate/calls/before-read.ts";
import { reportDamage } from "../../gate/calls/report-damage.ts";
import { GateReads } from "../../gate/calls/report-reads.ts";
import { refusalsOf } from "../../gate/calls/report-refusals.ts";
import { startGate } from "../../gate/gate.ts";
import { watchGate } from "../../gate/health/health-and-metrics.ts";
import { readGateUsers } from "../../gate/users/read-users.ts";
import type { Host } from "../../host.ts";
import { readHostNames } from "../../http/host-names.ts";
import { required, timerMs } from "../../settings/read-config.ts";
import { parseHostPort } from "../../settings/setting-checks.ts";
import { tellOfOpenTelemetry } from "../parts/open-telemetry.ts";
import { prepare, subcommand } from "../terminal/command.ts";
import { untilGone } from "../terminal/exit-with-pid.ts";
import { readGateLimits } from "./gate-limits.ts";

/** Makes the command `lockstep gate`. */
export function gateCommand(host: Host): Command {
  return subcommand(
    "gate",
    "serve smart HTTP to stock git, and ask the sidecar before each request",
    "lockstep gate --root /srv/git --gate-listen 127.0.0.1:7480",
  ).action(async (flags) => {
    const run = prepare(host, "gate", flags);
    const { timeoutMs } = run.patience;
    const root = required(run.config, "root");
    await tellOfOpenTelemetry(run.log, "requests");
    const { users, tls } = await readGateUsers(run.config, run.log);
    const stop = untilGone(host, run.config["exit-with-pid"]);
    using client = await run.connect();
    const reads = new GateReads(client, {
      ...{ log: run.log, timeoutMs },
      pullsPerRound: Number(required(run.config, "pull-log-rate")),
    });
    await using watched = await watchGate(run.config, { client, tls, log: run.log });
    await using refusals = refusalsOf(client, run.log, timeoutMs);
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
      beforeRead: askBeforeRead(client),
      onReadFailed: reportDamage(client, run.log, run.patience),
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
