import type { Command } from "commander";
import type { Host } from "../../host.ts";
import { tellOfOpenTelemetry } from "../parts/open-telemetry.ts";
import { prepare, subcommand } from "../terminal/command.ts";
import { untilGone } from "../terminal/exit-with-pid.ts";

/** Makes the command `lockstep serve`. */
export function serveCommand(host: Host): Command {
  return subcommand(
    "serve",
    "run the sidecar of one device",
    "lockstep serve --device repo001 --root /srv/git --database-url postgres://lockstep@db/lockstep \\\n" +
      "    --tls-cert repo001.pem --tls-key repo001.key --tls-ca ca.pem --advertise repo001.internal",
  ).action(async (flags) => {
    const { config, log } = prepare(host, "serve", flags);
    await tellOfOpenTelemetry(log, "pushes, reads and calls");
    const { serve } = await import("../../sidecar/serve.ts");
    await serve(config, { ...host, stop: untilGone(host, config["exit-with-pid"]) }, log);
  });
}
