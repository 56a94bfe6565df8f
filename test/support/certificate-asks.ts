// Asks the ports of a device with any credential, over connections that the test makes by itself: a client library
// would hide whether a connection was new, resumed or cut.
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { type ClientHttp2Session, connect as connectHttp2, constants } from "node:http2";
import { Agent, request } from "node:https";
import { text } from "node:stream/consumers";
import { connect, type TLSSocket } from "node:tls";
import type protobuf from "protobufjs";
import { parseProtocol } from "../../src/protocol/proto.ts";
import { HEALTH, REFLECTION } from "../../src/rpc/late-services.ts";
import type { Shown } from "./certificate-maker.ts";

/** `cut`: the connection ended without an answer. `answered`: by the handler, also with an error of its own. */
export type Outcome = "cut" | "UNAUTHENTICATED" | "PERMISSION_DENIED" | "UNAVAILABLE" | "answered";

const STATUSES: Readonly<Record<string, Outcome>> = {
  "7": "PERMISSION_DENIED",
  "14": "UNAVAILABLE",
  "16": "UNAUTHENTICATED",
};

export interface Call {
  readonly path: string;
  readonly message: Buffer;
  /** The call answers with a stream, which may have no end. */
  readonly streams: boolean;
}

/** Every RPC of every service, by its path, with the type of its request. Health and reflection have none. */
export function everyRpc(): { path: string; streams: boolean; type?: protobuf.Type }[] {
  const root = parseProtocol();
  const ours = ["SyncService", "ClusterService"].flatMap((service) =>
    root.lookupService(`lockstep.v1.${service}`).methodsArray.map((method) => ({
      path: `/lockstep.v1.${service}/${method.name}`,
      streams: method.responseStream === true,
      type: (method.resolve() as protobuf.Method).resolvedRequestType as protobuf.Type,
    })),
  );
  return [...ours, ...[...HEALTH, ...REFLECTION].map(({ path, responseStream: streams }) => ({ path, streams }))];
}

/** Encodes a message for a call. Fields that the request lacks are left out. */
export function callOf({ path, streams, type }: ReturnType<typeof everyRpc>[number], message: object = {}): Call {
  return { path, streams, message: Buffer.from(type?.encode(type.fromObject(message)).finish() ?? []) };
}

export interface Place {
  readonly port: number;
  /** The authority of the server. */
  readonly ca: string;
}

/** Makes a TLS connection. It may end at any moment; the server looks at the certificate after the handshake. */
export async function tlsTo(
  { port, ca }: Place,
  shows: Shown | undefined,
  { session, protocol = "h2" }: { session?: Buffer | undefined; protocol?: "h2" | "http/1.1" } = {},
): Promise<TLSSocket> {
  const socket = connect({
    ...{ host: "127.0.0.1", port, ca, ...shows, ...(session && { session }) },
    ALPNProtocols: [protocol],
    checkServerIdentity: () => undefined,
    // A client may show what it wants. The servers are to refuse it.
    ciphers: "DEFAULT@SECLEVEL=0:TLS_AES_128_GCM_SHA256",
  });
  socket.on("error", () => {});
  await Promise.race([once(socket, "secureConnect"), once(socket, "close")]);
  return socket;
}

/** Speaks HTTP/2 on the connection. */
export function grpcOver(socket: TLSSocket): ClientHttp2Session {
  const session = connectHttp2("https://127.0.0.1", { createConnection: () => socket });
  session.on("error", () => {});
  return session;
}

/** Begins a call. `outcome`: of its first sign. `ended`: resolves when the call is over, however it ends. */
export function begin(
  session: ClientHttp2Session,
  { path, message, streams }: Call,
): { outcome: Promise<Outcome>; ended: Promise<void>; cancel(): void } {
  if (session.destroyed || session.closed)
    return { outcome: Promise.resolve("cut"), ended: Promise.resolve(), cancel: () => {} };
  const stream = session.request({
    ":method": "POST",
    ":path": path,
    "content-type": "application/grpc",
    "grpc-timeout": "30S",
    te: "trailers",
  });
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  stream.on("error", () => {}).end(Buffer.concat([head, message]));
  const outcome = new Promise<Outcome>((resolve) => {
    const read = (headers: Record<string, unknown>) => {
      const status = headers["grpc-status"];
      if (status !== undefined) resolve(STATUSES[String(status)] ?? "answered");
    };
    stream.on("response", read).on("trailers", read);
    if (streams) stream.once("data", () => resolve("answered"));
    stream.once("close", () => resolve("cut"));
    stream.resume();
  });
  const ended = new Promise<void>((resolve) => void stream.once("close", () => resolve()));
  return { outcome, ended, cancel: () => stream.close(constants.NGHTTP2_CANCEL) };
}

/** Makes all calls over one connection, and returns what became of each. */
export async function askAll(session: ClientHttp2Session, calls: readonly Call[]): Promise<Outcome[]> {
  const asked = calls.map((call) => begin(session, call));
  return await Promise.all(
    asked.map(async ({ outcome, cancel }) => {
      const seen = await outcome;
      cancel();
      return seen;
    }),
  );
}

export interface Request {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly body?: string;
  readonly type?: string;
}

export interface Answer {
  readonly status: number;
  readonly said: string;
}

/** Makes requests over kept connections, and returns what became of each. */
export async function requestAll(
  { port, ca }: Place,
  shows: Shown | undefined,
  requests: readonly Request[],
  session?: Buffer,
): Promise<{ outcomes: (Answer | "cut")[]; resumed: boolean }> {
  let resumed = false;
  const agent = new Agent({ keepAlive: true, maxSockets: 2, maxCachedSessions: 0 });
  const ciphers = "DEFAULT@SECLEVEL=0:TLS_AES_128_GCM_SHA256";
  const tls = { host: "127.0.0.1", port, ca, ciphers, checkServerIdentity: () => undefined, ...shows };
  const ask = async (asked: Request): Promise<Answer | "cut"> => {
    const { method, path, body, type } = asked;
    const headers = { ...(type && { "content-type": type }) };
    const sent = request({ agent, ...tls, ...(session && { session }), method, path, headers });
    sent.on("error", () => {}).end(body);
    try {
      const [response] = (await once(sent, "response")) as [IncomingMessage];
      resumed ||= (response.socket as TLSSocket).isSessionReused();
      return { status: response.statusCode ?? 0, said: await text(response) };
    } catch {
      // A server that has refused a body ends the connection, maybe just as the next request is sent on it.
      return sent.reusedSocket ? await ask(asked) : "cut";
    }
  };
  const outcomes = requests.map(ask);
  try {
    return { outcomes: await Promise.all(outcomes), resumed };
  } finally {
    agent.destroy();
  }
}

/** Connects, waits for an answer, and returns the session that the server has given for later connections. */
export async function sessionOf(
  place: Place,
  shows: Shown,
  protocol: "h2" | "http/1.1" = "http/1.1",
): Promise<Buffer | undefined> {
  const socket = await tlsTo(place, shows, { protocol });
  let given: Buffer | undefined;
  socket.on("session", (session) => {
    given = session;
  });
  // A server of HTTP/1.1 answers, and one of HTTP/2 finds it malformed. Both then end the connection.
  socket.resume().write("GET / HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n");
  await once(socket, "close");
  return given;
}
