// Plain HTTP for this machine: health for the kubelet, metrics for Prometheus, and the answer to nginx's auth_request.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { describe, LockstepError } from "../errors.ts";
import { limitConnections } from "../io/connections.ts";
import { linkSignals } from "../io/signals.ts";
import { visible } from "../io/visible.ts";
import { repositoryName } from "../names.ts";
import { oneAtATime } from "../smart-http/one-at-a-time.ts";
import { requestIdOf } from "../smart-http/request-id.ts";
import { toldToStrangers } from "../smart-http/strangers.ts";
import { WAITS } from "../waits.ts";
import { foreignHost, type HostNames } from "./host-names.ts";
import { type HttpListener, listen } from "./listen.ts";
import { answerReady, type Readiness } from "./ready.ts";
import { say } from "./say.ts";
import { answerStatus, type PageAnswer } from "./status.ts";

/** Connections at once. The longest idle one makes room for a new one. */
const CONNECTIONS = 512;
/** Requests at once that wait for a catch-up. */
const ASKING = 256;

/** The functions behind the paths of this server. */
export interface HttpEndpoints extends Readiness {
  /** The names under which /gate may be asked for. */
  readonly hostNames: HostNames;
  readonly log: { warn: (fields: Record<string, unknown>, message: string) => void };
  /** Returns the page for Prometheus. */
  readonly metrics: () => Promise<{ contentType: string; text: string }>;
  /** Takes how much of a limit of this server is used. */
  readonly tellLimit?: (limit: "http_connections" | "http_gate", most: number, used: () => number) => void;
  /** Answers requests below / and /status. undefined: it is turned off here. */
  readonly statusPage?: ((path: string, parameters: URLSearchParams) => Promise<PageAnswer>) | undefined;
  /** Resolves when this device may serve a read of the repository, or take a push to it. Rejects with the reason. */
  readonly beforeRead: (repository: string, options: { signal: AbortSignal; forPush: boolean }) => Promise<void>;
}

/**
 * Serves these paths:
 *
 * - /gate?repository=NAME: 204 when this device may serve the repository now, else 503 with the reason. The reason is
 *   in the body and in the header Lockstep-Reason, since nginx's auth_request drops the body. With
 *   service=git-receive-pack it also answers 503 where writes are stopped, before anything is uploaded. 421 for another
 *   host. The other paths tell no secret, and probes may use any name.
 * - /metrics: the page for Prometheus.
 * - /livez: 200 while the process runs. The database does not count: a restart would not bring it back.
 * - /readyz: 200 when the process can serve. With ?verbose it names each check, and why it fails. Each exclude=NAME
 *   leaves out a check, as the API server of Kubernetes does; 400 if there is no such check.
 * - / and /status…: the status page, unless it is turned off. 421 for another host.
 */
export async function serveHttp(at: { host: string; port: number }, endpoints: HttpEndpoints): Promise<HttpListener> {
  let asking = 0;
  const answer = oneAtATime((request, response) => {
    // Not `new URL`, which throws on some requests of clients, such as `//`.
    const [path, query] = (request.url ?? "/").split("?");
    // A name may contain "+" but never a space. Form decoding would turn "+" into a space.
    const parameters = new URLSearchParams(query?.replaceAll("+", "%2B"));
    if (request.method !== "GET" && request.method !== "HEAD") say(response, 405, "Only GET here.");
    else if (path === "/livez") say(response, 200, "ok");
    else if (path === "/readyz") void answerReady(response, endpoints, parameters);
    else if (path === "/metrics") void metrics(response, endpoints);
    else if (path === "/gate" && asking >= ASKING)
      say(response.setHeader("retry-after", "1"), 503, "This server answers as many questions as it can; try again.");
    else if (path === "/gate") {
      asking += 1;
      void gate(request, response, endpoints, parameters).finally(() => {
        asking -= 1;
      });
    } else if (path === "/" || path === "/status" || path?.startsWith("/status/"))
      void answerStatus(request, response, endpoints, path, parameters);
    else
      say(
        response,
        404,
        "There is /livez, /readyz?verbose&exclude=CHECK, /metrics, /gate?repository=NAME and /status.",
      );
  });
  const { httpRequestMs } = WAITS;
  const times = { headersTimeout: httpRequestMs, requestTimeout: httpRequestMs, connectionsCheckingInterval: 2_000 };
  const server = createServer(times, answer);
  const connections = limitConnections(server, CONNECTIONS);
  endpoints.tellLimit?.("http_connections", CONNECTIONS, connections);
  endpoints.tellLimit?.("http_gate", ASKING, () => asking);
  return await listen(server, at);
}

/** The time that a front end waits before it gives up. */
const READ_PATIENCE_MS = 55_000;

async function gate(
  request: IncomingMessage,
  response: ServerResponse,
  { beforeRead, hostNames, log }: HttpEndpoints,
  parameters: URLSearchParams,
): Promise<void> {
  const foreign = foreignHost(request.headers.host, hostNames);
  if (foreign !== undefined) return say(response, 421, foreign);
  const [repository = null, ...others] = parameters.getAll("repository");
  const forPush = parameters.get("service") === "git-receive-pack";
  using patience = linkSignals([], READ_PATIENCE_MS);
  response.once("close", () => patience.abort());
  try {
    if (repository === null)
      throw new LockstepError(
        "INVALID_REQUEST",
        "The parameter `repository` is missing; ask for /gate?repository=NAME.",
      );
    // A front end that does not encode the name lets its client add a second one.
    if (others.length > 0)
      throw new LockstepError("INVALID_REQUEST", "The parameter `repository` stands there twice; encode the name.");
    await beforeRead(repositoryName(repository), { signal: patience.signal, forPush });
    response.writeHead(204, { "cache-control": "no-store" }).end();
  } catch (error) {
    // The front end passes the id on to its client.
    const requestId = requestIdOf(request);
    log.warn({ repository, requestId, err: describe(error) }, "read refused");
    const reason = `${repository === null ? describe(error) : toldToStrangers(error)} (request ${requestId})`;
    response.setHeader("lockstep-reason", headerOf(reason));
    say(response, 503, reason);
  }
}

/** nginx takes 4 KiB of headers by default. */
const HEADER_LIMIT = 1_000;

/** Returns a text as the bytes that a header may have. */
function headerOf(text: string): string {
  return Buffer.from(visible(text)).toString("latin1").slice(0, HEADER_LIMIT);
}

async function metrics(response: ServerResponse, endpoints: HttpEndpoints): Promise<void> {
  const { contentType, text } = await endpoints.metrics();
  response.writeHead(200, { "content-type": contentType }).end(text);
}
