// The git port: packs for other devices, over mutual TLS, read-only.

import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import { pipeline } from "node:stream/promises";
import type { SecureContextOptions, TLSSocket } from "node:tls";
import { cutterOf } from "../connections.ts";
import { describe, ERROR_TABLE, LockstepError } from "../errors.ts";
import { PACK_PATH } from "../git/transports/pack-stream.ts";
import { certificateIdentity } from "../identity.ts";
import type { SyncContext } from "../sync/context.ts";
import { PackServer } from "../sync/serve-pack.ts";

export interface PackListener {
  readonly port: number;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Serves the pack stream to devices of the trust domain. */
export async function servePacks(
  context: SyncContext,
  options: { listen: { host: string; port: number }; tls: SecureContextOptions; trustDomain: string },
): Promise<PackListener> {
  const packs = new PackServer(context);
  const server = createServer(
    { ...options.tls, minVersion: "TLSv1.3", requestCert: true, rejectUnauthorized: true, keepAliveTimeout: 120_000 },
    (request, response) => void answer(context, packs, options.trustDomain, request, response),
  );
  const cutConnections = cutterOf(server);
  server.on("tlsClientError", (error) => context.log.debug({ err: error.message }, "refused a TLS connection"));
  await new Promise<void>((done, failed) =>
    server.once("error", failed).listen(options.listen.port, options.listen.host, done),
  );
  return {
    port: (server.address() as { port: number }).port,
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>((done) => server.close(() => done()));
      cutConnections();
      await closed;
    },
  };
}

async function answer(
  context: SyncContext,
  packs: PackServer,
  trustDomain: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const gone = new AbortController();
  response.once("close", () => gone.abort());
  try {
    requireDevice(request.socket as TLSSocket, trustDomain);
    if (request.method !== "POST" || request.url !== PACK_PATH) {
      response.writeHead(404, { "content-type": "text/plain" }).end("There is nothing here.\n");
      return;
    }
    const { pack, done } = await packs.open(await readJson(request), gone.signal);
    response.writeHead(200, { "content-type": "application/x-git-packed-objects" });
    // The response ends only when git ended well: a pack that is cut off must not look whole.
    await Promise.all([pipeline(pack, response, { end: false }), done]);
    response.end();
  } catch (error) {
    if (response.headersSent) {
      response.destroy();
      return;
    }
    const code = error instanceof LockstepError ? error.code : "INTERNAL";
    const internal = code === "INTERNAL";
    if (internal) context.log.error({ err: error }, "a pack request failed");
    const status = ERROR_TABLE[code].grpc === "UNAVAILABLE" ? 503 : code === "UNAUTHENTICATED" ? 403 : 400;
    response
      .writeHead(status, { "content-type": "text/plain" })
      .end(`${internal ? "An internal error; the log of this device has it." : describe(error)}\n`);
  }
}

/** Two million ids of the long kind. */
const BODY_LIMIT = 160 << 20;

/** The body of a request. Throws INVALID_REQUEST when it is none or too long. */
async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > BODY_LIMIT) throw new LockstepError("INVALID_REQUEST", "The pack request is too long.");
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString("utf8"));
  } catch (cause) {
    throw new LockstepError("INVALID_REQUEST", "The pack request is not JSON.", { cause });
  }
}

function requireDevice(socket: TLSSocket, trustDomain: string): void {
  const identity = certificateIdentity(socket.getPeerCertificate().subjectaltname, trustDomain);
  if (identity?.role === "device") return;
  throw new LockstepError("UNAUTHENTICATED", "Only devices of this trust domain may ask for packs.");
}
