// Health and metrics of a gate, at an address of their own (--gate-http-listen).
import type { Logger } from "pino";
import type { Client } from "../../client/client.ts";
import { serveGatePort } from "../../http/gate-port.ts";
import { ownVersion } from "../../installation.ts";
import type { Config } from "../../settings/config.ts";
import { parseHostPort } from "../../settings/setting-checks.ts";
import { GateMetrics } from "../../telemetry/gate-metrics.ts";
import { Limits } from "../../telemetry/limits.ts";
import type { GateOptions } from "../gate.ts";
import type { WatchedGateTls } from "../tls/certificate-files.ts";

/** What the gate tells about itself, and where that is shown. */
export interface WatchedGate extends AsyncDisposable {
  /** Takes the requests and the limits of the gate. */
  readonly options: Required<Pick<GateOptions, "onServed" | "onLeft" | "tellLimit">>;
  /** Says whether the gate takes requests. */
  setServing(serving: boolean): void;
}

/** Starts to listen, if --gate-http-listen names an address. undefined: there is none. */
export async function watchGate(
  config: Config,
  { client, tls, log }: { client: Client; tls: WatchedGateTls | undefined; log: Logger },
): Promise<WatchedGate | undefined> {
  const address = config["gate-http-listen"];
  if (address === undefined) return undefined;
  const limits = new Limits();
  const figures = () => ({ limits: limits.read(), certificates: tls?.current.ends ?? [] });
  const metrics = new GateMetrics(ownVersion(), figures);
  let serving = false;
  const port = await serveGatePort(parseHostPort(address), {
    serving: () => serving,
    checks: {
      sidecar: async () => {
        if (!(await client.isServing())) throw new Error("the sidecar of this machine does not take calls");
      },
      certificate: async () => {
        const ended = tls?.current.ends.find(({ endsAt }) => endsAt <= Date.now());
        if (ended !== undefined) throw new Error(`what the file of --${ended.file} holds has ended`);
      },
    },
    metrics: () => metrics.page(),
  });
  log.info({ http: port.port }, "health and metrics of the gate are served");
  return {
    options: { onServed: metrics.ended, onLeft: metrics.left, tellLimit: (...told) => limits.tell(...told) },
    setServing(now) {
      serving = now;
    },
    [Symbol.asyncDispose]: () => port[Symbol.asyncDispose](),
  };
}
