// The status page in the test's own process, over HTTP, without a sidecar.
import { once } from "node:events";
import { get, type IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";
import type { HttpListener } from "../../src/http/listen.ts";
import { serveHttp } from "../../src/http/server.ts";
import { StatusPage } from "../../src/page/status-page.ts";
import type { Database } from "../../src/store/database/database.ts";

export interface ServedPage extends AsyncDisposable {
  readonly port: number;
  /** Returns the page at a path. */
  ask(path: string, headers?: Record<string, string>): Promise<AskedPage>;
}

export interface AskedPage {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

/** Serves the status page on that database. `turnedOff`: as where the address is not loopback. */
export async function servePage(db: Database, { turnedOff = false } = {}): Promise<ServedPage> {
  const log = { warn: (fields: object, message: string) => console.error(message, fields) };
  const page = new StatusPage({ db, device: "a", context: () => undefined, log });
  const http: HttpListener = await serveHttp(
    { host: "127.0.0.1", port: 0 },
    {
      serving: () => true,
      hostNames: new Set(["repo001.example"]),
      checks: {},
      log,
      metrics: async () => ({ contentType: "", text: "" }),
      beforeRead: async () => {},
      statusPage: turnedOff ? undefined : (path, parameters) => page.answer(path, parameters),
    },
  );
  return {
    port: http.port,
    async ask(path, headers = {}) {
      const [answer] = (await once(get({ port: http.port, path, headers, agent: false }), "response")) as [
        IncomingMessage,
      ];
      return { status: answer.statusCode ?? 0, headers: answer.headers, body: await text(answer) };
    },
    [Symbol.asyncDispose]: () => http[Symbol.asyncDispose](),
  };
}
