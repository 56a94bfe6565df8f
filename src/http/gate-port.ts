// Plain HTTP beside a gate: health for probes, and metrics for Prometheus.
import { createServer } from "node:http";
import { limitConnections } from "../io/connections.ts";
import { WAITS } from "../waits.ts";
import { type HttpListener, listen } from "./listen.ts";
import { answerReady, type Readiness } from "./ready.ts";
import { say } from "./say.ts";

/** Connections at once. The longest idle one makes room for a new one. */
const CONNECTIONS = 64;

export interface GateEndpoints extends Readiness {
  /** Returns the page for Prometheus. */
  readonly metrics: () => Promise<{ contentType: string; text: string }>;
}

/**
 * Serves these paths, which tell no secret:
 *
 * - /metrics: the page for Prometheus.
 * - /livez, /healthz: 200 while the process runs.
 * - /readyz: 200 when the gate can serve, with ?verbose and exclude=NAME as that of the sidecar.
 */
export async function serveGatePort(
  at: { host: string; port: number },
  endpoints: GateEndpoints,
): Promise<HttpListener> {
  const { httpRequestMs } = WAITS;
  const times = { headersTimeout: httpRequestMs, requestTimeout: httpRequestMs, connectionsCheckingInterval: 2_000 };
  const server = createServer(times, (request, response) => {
    const [path, query] = (request.url ?? "/").split("?");
    if (request.method !== "GET" && request.method !== "HEAD") say(response, 405, "Only GET here.");
    else if (path === "/livez" || path === "/healthz") say(response, 200, "ok");
    else if (path === "/readyz") void answerReady(response, endpoints, new URLSearchParams(query));
    else if (path === "/metrics")
      void endpoints.metrics().then(({ contentType, text }) => {
        response.writeHead(200, { "content-type": contentType }).end(text);
      });
    else say(response, 404, "There is /livez, /healthz, /readyz?verbose&exclude=CHECK and /metrics.");
  });
  limitConnections(server, CONNECTIONS);
  return await listen(server, at);
}
