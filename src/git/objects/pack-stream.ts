// The fast path between devices: a pack over kept-alive https with mutual TLS. It uses ids from the log, without refs
// and without negotiation.
import { createHash, X509Certificate } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { request } from "node:https";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import type { SecureContextOptions, TLSSocket } from "node:tls";
import { LockstepError } from "../../errors.ts";
import { type PeerAgent, PeerAgents, type ServerKey } from "../../tls/peer-agent.ts";
import { instant } from "../../tls/peer-certificate.ts";

/** The path for pack requests at a peer. */
export const PACK_PATH = "/v1/pack";
/** Header of a refusal that means "busy": the names of other devices to ask, separated by spaces. */
export const ASK_HEADER = "lockstep-ask";

/** The path for requests to fetch objects and keep them. */
export const HOLD_PATH = "/v1/hold";

/** The request to fetch objects from the asking device and to keep them. */
export interface HoldRequestBody {
  readonly repositoryId: string;
  readonly wants: readonly string[];
  readonly haves: readonly string[];
  /** Refs that held the `haves`. Each name is a string of its bytes. */
  readonly refs: readonly string[];
}

/** The path for questions about a directory. */
export const DIRECTORY_PATH = "/v1/directory";

/** The request for a pack. */
export interface PackRequestBody {
  readonly repositoryId: string;
  /** The version to which the wanted objects belong; text, because JSON has no bigint. */
  readonly version: string;
  readonly wants: readonly string[];
  readonly haves: readonly string[];
  /**
   * `first`: the peer may refer the caller to devices that were given this version. `referred`: the caller was referred
   * to this device, which may still be receiving the version. `last`: those devices did not help.
   */
  readonly visit: "first" | "referred" | "last";
}

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

/** Asks other devices for packs, and asks them to hold objects. Keeps its connections open until it is disposed of. */
export class PackClient {
  readonly #agents: PeerAgents;

  /** `refuses`: returns why nothing is asked of a device with that key. */
  constructor(
    tls: SecureContextOptions,
    trustDomain: string,
    refuses: (shown: ServerKey) => Error | undefined = () => undefined,
  ) {
    this.#agents = new PeerAgents(tls, trustDomain, refuses);
  }

  /** Uses these credentials for new requests. Running ones go on for up to `graceMs` over the old connections. */
  use(tls: SecureContextOptions, graceMs: number): void {
    this.#agents.use(tls, graceMs);
  }

  /** Cuts the connections to devices whose keys are not trusted any more. */
  checkAgain(): void {
    this.#agents.checkAgain();
  }

  /**
   * Asks the device at `address` (host:port) for a pack. The stream fails if the pack is cut off. `onAlive` is called
   * at each sign that the device works on it. Throws SOURCE_FAILED when the device cannot be reached, is not `device`,
   * or refuses. Throws QUEUE_FULL when it is busy; `details.ask` names other devices. Throws NoPackStream.
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
    const agent = this.#agents.of(device);
    const text = JSON.stringify(body);
    try {
      return await post({ path, device, address, text, agent, signal, onAlive });
    } catch (error) {
      if (!(error instanceof StaleConnection)) throw error;
      // The other side has ended a kept connection at the moment of the request, which it has not read. Its successor
      // is new.
      return await post({ path, device, address, text, agent: this.#agents.fresh(device), signal, onAlive });
    }
  }

  [Symbol.dispose](): void {
    this.#agents[Symbol.dispose]();
  }
}

interface Post {
  readonly path: string;
  readonly device: string;
  readonly address: string;
  readonly text: string;
  readonly agent: PeerAgent;
  readonly signal: AbortSignal;
  readonly onAlive: () => void;
}

/** A kept connection ended before anything was answered on it. */
class StaleConnection extends Error {}

async function post({ path, device, address, text, agent, signal, onAlive }: Post): Promise<Readable> {
  return await new Promise<Readable>((resolve, reject) => {
    let heard = false;
    const failed = (error: Error) => {
      const hungUp = (error as NodeJS.ErrnoException).code === "ECONNRESET" || /socket hang up/.test(error.message);
      if (hungUp && call.reusedSocket && !heard && !signal.aborted) return reject(new StaleConnection());
      const said = hungUp && !heard ? hangUpText(agent.ownEnd) : error.message;
      reject(new LockstepError("SOURCE_FAILED", said, { cause: error, details: { device } }));
    };
    const headers = { "content-type": "application/json" };
    const call = request(`https://${address}${path}`, { method: "POST", agent, headers, signal });
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

/** Returns a sentence about a device that hung up. Without words it may also refuse the certificate of its caller. */
function hangUpText(ownEnd: number): string {
  if (Date.now() > ownEnd)
    return `it hung up: the certificate of this device ended at ${instant(ownEnd)}; put a new one in its place`;
  return "it hung up without an answer (socket hang up); its log says why";
}

async function refusalError(device: string, response: IncomingMessage): Promise<Error> {
  const hasNoStream = response.statusCode === 404 || response.statusCode === 501;
  // Reads the key before the body: after the body the connection may be gone, and its certificate with it.
  const publicKey = hasNoStream ? publicKeyOf(response.socket as TLSSocket) : undefined;
  const said = (await text(response)).trim().slice(0, 300) || `it answered ${response.statusCode}`;
  if (publicKey !== undefined) return new NoPackStream(publicKey);
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
