// Health over plain HTTP for this machine: kubelet, balancers.
import { createServer, type ServerResponse } from "node:http";
import { describe } from "../errors.ts";

export interface HealthChecks {
  /** Whether this process takes calls. */
  readonly serving: () => boolean;
  /** Name → a check that throws when something is missing. */
  readonly checks: Readonly<Record<string, () => Promise<void>>>;
}

export interface HttpListener {
  readonly port: number;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * /livez: the process runs (the database does not matter: restarting would not bring it back). /readyz: it can serve; with
 * ?verbose it says which check fails and why.
 */
export async function serveHttp(listen: { host: string; port: number }, health: HealthChecks): Promise<HttpListener> {
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? "/", "http://localhost");
    if (request.method !== "GET" && request.method !== "HEAD") say(response, 405, "Only GET here.");
    else if (url.pathname === "/livez") say(response, 200, "ok");
    else if (url.pathname === "/readyz") void ready(response, health, url.searchParams.has("verbose"));
    else say(response, 404, "There is /livez and /readyz?verbose.");
  });
  await new Promise<void>((done, failed) => server.once("error", failed).listen(listen.port, listen.host, done));
  return {
    port: (server.address() as { port: number }).port,
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>((done) => server.close(() => done()));
      server.closeAllConnections();
      await closed;
    },
  };
}

async function ready(response: ServerResponse, { serving, checks }: HealthChecks, verbose: boolean): Promise<void> {
  const results = await Promise.all(
    Object.entries(checks).map(async ([name, check]) => {
      try {
        await check();
        return { name, failure: "" };
      } catch (error) {
        return { name, failure: describe(error) };
      }
    }),
  );
  const all = [{ name: "serving", failure: serving() ? "" : "starting or stopping" }, ...results];
  const failed = all.filter(({ failure }) => failure !== "");
  const lines = (verbose ? all : failed).map(({ name, failure }) =>
    failure === "" ? `[+] ${name}` : `[-] ${name}: ${failure}`,
  );
  say(response, failed.length === 0 ? 200 : 503, [...lines, failed.length === 0 ? "ok" : "not ready"].join("\n"));
}

function say(response: ServerResponse, status: number, text: string): void {
  response
    .writeHead(status, { "content-type": "text/plain; charset=utf-8", "cache-control": "no-store" })
    .end(`${text}\n`);
}
