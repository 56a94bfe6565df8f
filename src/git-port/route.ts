// Leads the requests of other devices to what answers them, and refuses the others.
import type { IncomingMessage, ServerResponse } from "node:http";
import { describe, ERROR_TABLE, LockstepError } from "../errors.ts";
import type { PlaceLimits } from "../fair-places.ts";
import {
  ASK_HEADER,
  CopyNotWanted,
  DIRECTORY_PATH,
  HOLD_PATH,
  NO_COPY_STATUS,
  PACK_PATH,
} from "../git/peers/pack-requests.ts";
import { asRefusal } from "../smart-http/refusal.ts";
import { catchUp } from "../sync/catch-up/catch-up.ts";
import type { SyncContext } from "../sync/device/context.ts";
import type { Replica } from "../sync/device/replica.ts";
import { PackServer } from "../sync/objects/serve-pack.ts";
import { hold, type Port, sendPack, tellDirectory } from "./answers.ts";
import type { Callers } from "./callers.ts";
import { HoldPlaces } from "./hold-places.ts";
import { WholeBodies } from "./request-whole.ts";
import { serveUploadPack } from "./upload-pack.ts";

/** What other devices may cost. */
export interface PortLimits {
  readonly packs: PlaceLimits;
  /** Requests for copies of one device at once. */
  readonly copies: number;
  /** Big requests in memory at once. */
  readonly bigRequests: number;
}

/** Makes what all connections share, over https and over ssh. */
export function portOf(context: SyncContext, most: PortLimits): Port {
  // The peer has another source meanwhile. A failure is logged, and the next access tries again.
  const { signal } = context;
  const onDoubt = (replica: Replica) => void catchUp(context, replica, 0n, { signal }).catch(() => {});
  const packs = new PackServer(context, onDoubt, most.packs);
  const { device } = context.me;
  const bodies = new WholeBodies(device, most.bigRequests);
  const holds = new HoldPlaces(device, most.copies);
  const { limits } = context.metrics;
  limits.tell("git_big_requests", most.bigRequests, () => bodies.big);
  limits.tell("copies_of_one", most.copies, () => holds.largest);
  return { context, packs, bodies, holds };
}

/** Answers one request of another device. */
export async function answer(
  port: Port,
  callers: Callers,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  // A pipelined request has no connection of its own that could be cut. No client of ours sends one.
  if (response.socket === null) return void request.socket.destroy();
  const gone = new AbortController();
  response.once("close", () => gone.abort());
  // A peer may leave at any moment; the writing code learns it from `close`.
  response.on("error", () => {});
  try {
    if (callers.isOld(request.socket)) response.setHeader("connection", "close");
    const device = await callers.admit(request.socket);
    const asked = { ...port, device, request, response, gone: gone.signal };
    if (!isOurs(request)) await serveUploadPack(asked);
    else if (request.method !== "POST") throw new LockstepError("INVALID_REQUEST", "This request must use POST.");
    else if (request.url === HOLD_PATH) await hold(asked);
    else if (request.url === DIRECTORY_PATH) await tellDirectory(asked);
    else await sendPack(asked);
  } catch (error) {
    if (error instanceof LockstepError && error.code === "PERMISSION_DENIED") callers.refused(request.socket, error);
    // If the peer has gone, its work was stopped for that reason.
    if (!gone.signal.aborted) refuse(port.context, request, response, error);
  }
}

function refuse(context: SyncContext, request: IncomingMessage, response: ServerResponse, error: unknown): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const { status, message, headers } = isOurs(request) ? packRefusal(error) : gitRefusal(error);
  if (status === 500) context.log.error({ err: error }, "a request for a pack failed");
  response.writeHead(status, { ...headers, "content-type": "text/plain; charset=utf-8" }).end(`${message}\n`);
  request.unpipe().resume();
}

function isOurs({ url }: IncomingMessage): boolean {
  return url === PACK_PATH || url === HOLD_PATH || url === DIRECTORY_PATH;
}

/** Makes the answer for any client of git, but with the reason: a device is not a stranger. */
function gitRefusal(error: unknown): { status: number; message: string; headers: Readonly<Record<string, string>> } {
  const { status, message, headers } = asRefusal(error);
  const known = error instanceof LockstepError && error.code !== "INTERNAL";
  return { status, message: known ? describe(error) : message, headers };
}

const REFUSED: ReadonlySet<string> = new Set(["UNAUTHENTICATED", "PERMISSION_DENIED"]);

/** Makes the answer to a pack request. Never 404 or 501: those would say that this device has no pack stream. */
function packRefusal(error: unknown): { status: number; message: string; headers: Record<string, string> } {
  if (!(error instanceof LockstepError) || error.code === "INTERNAL") {
    return { status: 500, message: "An internal error; the log of this device has it.", headers: {} };
  }
  if (error instanceof CopyNotWanted) return { status: NO_COPY_STATUS, message: describe(error), headers: {} };
  const status = ERROR_TABLE[error.code].grpc === "UNAVAILABLE" ? 503 : REFUSED.has(error.code) ? 403 : 400;
  const headers = error.code === "QUEUE_FULL" ? { [ASK_HEADER]: error.details.ask ?? "" } : {};
  return { status, message: describe(error), headers: headers as Record<string, string> };
}
