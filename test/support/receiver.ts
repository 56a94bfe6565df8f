// A receiver of webhooks: keeps what was posted, and answers as the test says.
import { createHmac } from "node:crypto";
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

export interface Posted {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly raw: string;
  // biome-ignore lint/suspicious/noExplicitAny: the shape of a document is what tests check.
  readonly body: any;
}

/** Answers a delivery. */
type Answer = (posted: Posted, response: ServerResponse) => void;

export class Receiver implements AsyncDisposable {
  readonly #server: Server;
  readonly #origin: string;
  /** In the order of their arrival. */
  readonly posted: Posted[] = [];
  answer: Answer = (_, response) => void response.writeHead(204).end();

  private constructor(server: Server, origin: string) {
    this.#server = server;
    this.#origin = origin;
  }

  /** `tls`: with https instead of http. */
  static async start(tls?: { cert: string; key: string }): Promise<Receiver> {
    const take = async (request: IncomingMessage, response: ServerResponse) => {
      const raw = await text(request);
      const { url: path = "", headers } = request;
      const posted = { path, headers, raw, body: JSON.parse(raw) };
      receiver.posted.push(posted);
      receiver.answer(posted, response);
    };
    const server = tls ? createTlsServer(tls, take) : createServer(take);
    const receiver = new Receiver(server, tls ? "https://localhost" : "http://127.0.0.1");
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    return receiver;
  }

  get url(): string {
    return `${this.#origin}:${(this.#server.address() as AddressInfo).port}/hook`;
  }

  /** "REPOSITORY VERSION" of each delivery. */
  get events(): string[] {
    return this.posted.map(({ body }) => `${body.repository} ${body.version}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((done) => this.#server.close(done));
  }
}

/** Returns the signature that a receiver expects, as docs/integration.md has it. */
export function expectedSignature(secret: string, raw: string): string {
  return `sha256=${createHmac("sha256", secret).update(raw).digest("hex")}`;
}
