// The answer to a request that the gate refuses.
import type { ServerResponse } from "node:http";
import type { Readable } from "node:stream";
import { linkSignals } from "../io/signals.ts";
import { NO_CACHE, success } from "../smart-http/protocol.ts";
import type { Refusal } from "../smart-http/refusal.ts";
import type { GitRequest } from "../smart-http/route.ts";
import type { Limited, PlaceLimits, Places } from "./places.ts";
import { toldByGit } from "./told-by-git.ts";

/** A request whose body nobody has read yet. */
export interface InHand {
  unread?: { asked: GitRequest; body: Readable } | undefined;
}

/** How many refused pushes may be answered in git's form at once. Such an answer keeps up to 4 MB. */
export const TELLING: PlaceLimits = { requests: 32, perAddress: 4, waiting: 0, patienceMs: 0 };

interface Means extends InHand {
  readonly idleMs: number;
  /** When it aborts, nothing more is read. */
  readonly stopping: AbortSignal;
  readonly telling: Places;
  readonly address: Limited;
}

/** Answers a refused request, in the form of git where a person would not see another one. */
export async function refuse(
  response: ServerResponse,
  { status, headers, message }: Refusal,
  requestId: string,
  { unread, idleMs, stopping, telling, address }: Means,
): Promise<void> {
  if (response.headersSent) {
    response.socket?.destroy();
    return;
  }
  let ending = {};
  // An error in the request is for the program that made it. An error on this server is for the person who waits.
  if (unread && (status === 403 || status >= 500)) {
    const mayRead = unread.asked.service === "upload-pack" || takePlace(telling, address, response);
    if (mayRead) {
      using reading = linkSignals([stopping], idleMs);
      const told = await toldByGit(unread.asked, unread.body, { sentence: message, requestId }, reading.signal);
      if (response.destroyed) return;
      if (told) return void response.writeHead(200, success(unread.asked, undefined).headers).end(told);
    } else {
      ending = { Connection: "close" };
    }
  }
  const text = { "Content-Type": "text/plain; charset=utf-8" };
  response.writeHead(status, { ...NO_CACHE, ...headers, ...text, ...ending }).end(`${message}\nRequest ${requestId}\n`);
}

/** Takes a place until the client has the whole answer, or has left. Returns false when there is none. */
function takePlace(telling: Places, address: Limited, response: ServerResponse): boolean {
  if (telling.roomFor(address) <= 0) return false;
  const place = telling.takeFree(address);
  response.once("close", () => place[Symbol.dispose]());
  return true;
}
