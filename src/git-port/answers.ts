// Answers the requests of other devices that have no form of git's own: packs, copies, and questions about directories.
import type { IncomingMessage, ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";
import { LockstepError } from "../errors.ts";
import { watchResponse } from "../io/stalled/watch-response.ts";
import { lookAtDirectory } from "../sync/adopt/look-at-directory.ts";
import { holdObjects } from "../sync/copies/hold-objects.ts";
import type { SyncContext } from "../sync/device/context.ts";
import type { PackServer } from "../sync/objects/serve-pack.ts";
import { WAITS } from "../waits.ts";
import { mayAskAbout, mayFetchPack, mayRequestCopies } from "./device-limits.ts";
import type { HoldPlaces } from "./hold-places.ts";
import type { WholeBodies } from "./request-whole.ts";

/** The parts of the git port that all requests share. */
export interface Port {
  readonly context: SyncContext;
  readonly packs: PackServer;
  readonly bodies: WholeBodies;
  readonly holds: HoldPlaces;
}

/** A request of another device. `gone` aborts when the device has hung up. */
export interface Asked extends Port {
  readonly device: string;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly gone: AbortSignal;
}

/** The shortest time between two signs to a peer that the work goes on. */
const ALIVE_MS = 500;

/**
 * Returns a function that tells the peer that the work goes on, while there is nothing else to send yet. Call it only
 * at progress of the work: a peer that could ask another device does not care that this process lives.
 */
function heartbeat(response: ServerResponse): () => void {
  let told = Number.NEGATIVE_INFINITY;
  return () => {
    const now = performance.now();
    if (response.headersSent || response.destroyed || now - told < ALIVE_MS) return;
    told = now;
    response.writeProcessing();
  };
}

/** Sends a pack of the objects that the device asks for. */
export async function sendPack({ context, packs, bodies, device, request, response, gone }: Asked): Promise<void> {
  const asked = await readJson(bodies, request);
  await mayFetchPack(context, device, asked);
  const { pack, done } = await packs.open(device, asked, gone, heartbeat(response));
  response.writeHead(200, { "content-type": "application/x-git-packed-objects" });
  watchResponse(request, response, { takeMs: WAITS.gitStallMs, silentMs: WAITS.gitStallMs });
  // The response ends only when git ended well: a pack that is cut off must not look whole.
  await Promise.all([pipeline(pack, response, { end: false }), done]);
  response.end();
}

/**
 * Fetches objects from the asking device, which is about to write them, and keeps them. No other request changes
 * anything here.
 */
export async function hold({ context, bodies, holds, device, request, response, gone }: Asked): Promise<void> {
  const asked = await readJson(bodies, request);
  await mayRequestCopies(context, device, asked);
  using _ = holds.take(device);
  await holdObjects(context, device, asked, { signal: gone, onWork: heartbeat(response) });
  response.writeHead(204).end();
}

/** Answers another device that asks what lies at the place of a repository here. */
export async function tellDirectory({ context, bodies, device, request, response, gone }: Asked): Promise<void> {
  const question = await readJson(bodies, request);
  await mayAskAbout(context, device, question);
  const answer = await lookAtDirectory(context, question, gone);
  response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(answer));
}

/** Returns the parsed body of a request. Throws INVALID_REQUEST when it is too long or is not JSON. */
async function readJson(bodies: WholeBodies, request: IncomingMessage): Promise<unknown> {
  const body = await bodies.read(request);
  try {
    return JSON.parse(body.toString("utf8"));
  } catch (cause) {
    throw new LockstepError("INVALID_REQUEST", "The pack request is not JSON.", { cause });
  }
}
