// The answer to a request that the gate refuses.
import type { ServerResponse } from "node:http";
import type { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { NO_CACHE, success } from "../smart-http/protocol.ts";
import type { Refusal } from "../smart-http/refusal.ts";
import type { GitRequest } from "../smart-http/route.ts";
import { toldByGit } from "./told-by-git.ts";

/** A request whose body nobody has read yet. */
export interface InHand {
  unread?: { asked: GitRequest; body: Readable } | undefined;
}

/** Answers a refused request, in the form of git where a person would not see another one. */
export async function refuse(
  response: ServerResponse,
  { status, headers, message }: Refusal,
  requestId: string,
  { unread, idleMs }: InHand & { idleMs: number },
): Promise<void> {
  if (response.headersSent) {
    response.socket?.destroy();
    return;
  }
  // An error in the request is for the program that made it. An error on this server is for the person who waits.
  if (unread && (status === 403 || status >= 500)) {
    const telling = toldByGit(unread.asked, unread.body, { sentence: message, requestId });
    const told = await Promise.race([telling, sleep(idleMs, undefined, { ref: false })]);
    if (response.destroyed) return;
    if (told) return void response.writeHead(200, success(unread.asked, undefined).headers).end(told);
  }
  const text = { "Content-Type": "text/plain; charset=utf-8" };
  response.writeHead(status, { ...NO_CACHE, ...headers, ...text }).end(`${message}\nRequest ${requestId}\n`);
}
