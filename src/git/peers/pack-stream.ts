// The fast path between devices: a pack over a kept connection, https with mutual TLS or ssh (peer-lines.ts). It uses
// ids from the log, without refs and without negotiation.
import { createHash, X509Certificate } from "node:crypto";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest, type RequestOptions } from "node:https";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { TLSSocket } from "node:tls";
import { LockstepError } from "../../errors.ts";
import {
  ASK_HEADER,
  CopyNotWanted,
  DIRECTORY_PATH,
  HOLD_PATH,
  type HoldRequestBody,
  NO_COPY_STATUS,
  PACK_PATH,
  type PackRequestBody,
} from "./pack-requests.ts";
import type { PeerLine } from "./peer-lines.ts";

/** The peer answers but has no pack stream: stock git may work. */
export class NoPackStream extends Error {
  override readonly name = "NoPackStream";
  /** SHA-256 of the public key in the peer's certificate, in base64. */
  readonly publicKey: string;

  constructor(publicKey: string) {
    super("it has no pack stream");
    this.publicKey = publicKey;
  }
}

/** The device was not reached at all, so another way to it may help. */
export class Unreached extends LockstepError {
  constructor(device: string, said: string, cause: unknown) {
    super("SOURCE_FAILED", said, { cause, details: { device } });
  }
}

/** Asks other devices for packs, and asks them to hold objects, over one kind of connection. */
export class PackClient {
  readonly #line: PeerLine;
  readonly #connectMs: number | undefined;

  /** `connectMs`: a device to which no connection is made in this time is not reached. */
  constructor(line: PeerLine, connectMs?: number) {
    this.#line = line;
    this.#connectMs = connectMs;
  }

  /**
   * Asks the device at `address` for a pack. The stream fails if the pack is cut off. `onAlive` is called at each sign
   * that the device works on it. Throws SOURCE_FAILED when it refuses, and Unreached when it cannot be reached or is
   * not `device`. Throws QUEUE_FULL when it is busy; `details.ask` names other devices. Throws NoPackStream, and
   * CopyNotWanted.
   */
  async open(
    device: string,
    address: string,
    body: PackRequestBody,
    signal: AbortSignal,
    onAlive: () => void,
  ): Promise<Readable> {
    return await this.#post(PACK_PATH, device, address, body, signal, onAlive);
  }

  /**
   * Returns when the device at `address` holds the objects. `onAlive` is called at each sign of progress. Throws
   * SOURCE_FAILED and QUEUE_FULL.
   */
  async hold(
    device: string,
    address: string,
    body: HoldRequestBody,
    signal: AbortSignal,
    onAlive: () => void,
  ): Promise<void> {
    const answer = await this.#post(HOLD_PATH, device, address, body, signal, onAlive);
    await text(answer);
  }

  /** Asks the device at `address` a question that it answers with a JSON document. Throws SOURCE_FAILED. */
  async ask(device: string, address: string, body: object, signal: AbortSignal): Promise<unknown> {
    const answer = await this.#post(DIRECTORY_PATH, device, address, body, signal, () => {});
    try {
      return JSON.parse(await text(answer));
    } catch (cause) {
      throw new LockstepError("SOURCE_FAILED", "its answer broke off", { cause, details: { device } });
    }
  }

  async #post(
    path: string,
    device: string,
    address: string,
    body: object,
    signal: AbortSignal,
    onAlive: () => void,
  ): Promise<Readable> {
    const text = JSON.stringify(body);
    const call = { line: this.#line, connectMs: this.#connectMs, path, device, text, signal, onAlive };
    try {
      return await post({ ...call, to: this.#line.to(device, address, false) });
    } catch (error) {
      if (!(error instanceof StaleConnection)) throw error;
      // The other side has ended a kept connection at the moment of the request, which it has not read. Its successor
      // is new.
      return await post({ ...call, to: this.#line.to(device, address, true) });
    }
  }
}

interface Post {
  readonly path: string;
  readonly device: string;
  readonly text: string;
  readonly line: PeerLine;
  readonly to: RequestOptions;
  readonly connectMs: number | undefined;
  readonly signal: AbortSignal;
  readonly onAlive: () => void;
}

/** A kept connection ended before anything was answered on it. */
class StaleConnection extends Error {}

async function post({ path, device, text, line, to, connectMs, signal, onAlive }: Post): Promise<Readable> {
  return await new Promise<Readable>((resolve, reject) => {
    let heard = false;
    let reached = false;
    const failed = (error: Error) => {
      const hungUp = (error as NodeJS.ErrnoException).code === "ECONNRESET" || /socket hang up/.test(error.message);
      if (hungUp && call.reusedSocket && !heard && !signal.aborted) return reject(new StaleConnection());
      const said = hungUp && !heard ? line.whyHungUp(device) : error.message;
      if (!reached) return reject(new Unreached(device, said, error));
      reject(new LockstepError("SOURCE_FAILED", said, { cause: error, details: { device } }));
    };
    const headers = { "content-type": "application/json" };
    const request = to.protocol === "https:" ? httpsRequest : httpRequest;
    const call = request({ ...to, path, method: "POST", headers, signal });
    const tooLate = () => call.destroy(new Error(`it could not be reached within ${(connectMs ?? 0) / 1000} s`));
    const connecting = connectMs === undefined ? undefined : setTimeout(tooLate, connectMs);
    call.once("socket", (socket) => {
      const isThere = () => {
        reached = true;
        clearTimeout(connecting);
      };
      if (socket.connecting) socket.once("connect", isThere);
      else isThere();
    });
    call.once("close", () => clearTimeout(connecting));
    call.once("error", failed);
    call.on("information", () => {
      heard = true;
      onAlive();
    });
    // Sending a large request is progress too: it may have a hundred megabytes.
    call.on("drain", onAlive);
    call.once("response", (response) => {
      heard = true;
      if (response.statusCode === 200 || response.statusCode === 204) resolve(response);
      else refusalError(device, response).then(reject, failed);
    });
    call.end(text);
  });
}

async function refusalError(device: string, response: IncomingMessage): Promise<Error> {
  const hasNoStream = response.statusCode === 404 || response.statusCode === 501;
  // Reads the key before the body: after the body the connection may be gone, and its certificate with it.
  const publicKey = hasNoStream && response.socket instanceof TLSSocket ? publicKeyOf(response.socket) : undefined;
  const said = (await text(response)).trim().slice(0, 300) || `it answered ${response.statusCode}`;
  if (publicKey !== undefined) return new NoPackStream(publicKey);
  if (response.statusCode === NO_COPY_STATUS) return new CopyNotWanted(device, said);
  const ask = response.headers[ASK_HEADER];
  if (typeof ask !== "string") return new LockstepError("SOURCE_FAILED", said, { details: { device } });
  return new LockstepError("QUEUE_FULL", said, { details: { device, ask } });
}

function publicKeyOf(socket: TLSSocket): string {
  const { raw } = socket.getPeerCertificate();
  if (raw === undefined) throw new Error("the connection ended");
  const { publicKey } = new X509Certificate(raw);
  return createHash("sha256")
    .update(publicKey.export({ type: "spki", format: "der" }))
    .digest("base64");
}
