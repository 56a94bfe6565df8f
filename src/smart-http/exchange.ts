// One request and its git process: bytes in, bytes out, and how the response ends.
//
// - 200 is sent with git's first byte: before that, a failure can still be told.
// - The response ends cleanly only when git came to its own end. A client that sees the end of a response believes it, so a
//   git that was killed ends in a hang-up, after a sentence where one fits between git's packets.
// - A client that goes away takes its git with it, unless that git holds a whole push: it may have moved refs already, and
//   the post-receive hook is still to run.

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { packet, utf8 } from "../framing/pkt-line.ts";
import { copy } from "../io/pump.ts";
import type { Ending, GitChild } from "./git-child.ts";
import { PacketWatch } from "./packet-watch.ts";
import type { Success } from "./protocol.ts";
import { Refusal } from "./refusal.ts";
import { lastChunkWhenWhole } from "./request-body.ts";
import type { GitRequest } from "./route.ts";

/** git exits with it after a message to the client, such as `not our ref`. */
const GIT_DIED = 128;
/** How long a hook's background process may keep the log's end of standard error open. */
const LAST_WORDS_MS = 1_000;

export interface Exchange {
  readonly git: GitChild;
  readonly asked: GitRequest;
  /** The decoded body; undefined for an advertisement, which has none. */
  readonly body: Readable | undefined;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly success: Success;
  readonly requestId: string;
  /** Aborted: git is stopped, whatever it does. */
  readonly stopping: AbortSignal;
  /** Called when git has ended, and said its last words, unless it ended well or was stopped. */
  readonly onFailure: (ending: Ending) => void;
}

/** Runs to the end of git and of the response. Throws Refusal while no part of a response has been sent. */
export async function exchange(parts: Exchange): Promise<void> {
  const { git, asked, response, stopping, onFailure } = parts;
  const received: Received = { whole: false, damage: undefined };
  const clientGone = (): void => {
    if (!received.whole || asked.service === "upload-pack") git.stop();
  };
  response.once("close", clientGone);
  stopping.addEventListener("abort", git.stop);
  if (response.destroyed) clientGone();
  if (stopping.aborted) git.stop();
  const packets = new PacketWatch();
  let ending: Ending | undefined;
  try {
    // Not awaited: git may have its answer long before the client has sent everything.
    void feed(parts, received);
    ending = await answer(parts, packets);
    if (response.destroyed) return;
    if (received.damage === undefined) finish(parts, ending, packets);
    else if (response.headersSent) hangUp(parts);
    else throw new Refusal(400, "The request body is damaged.", { cause: received.damage });
  } finally {
    stopping.removeEventListener("abort", git.stop);
    await Promise.race([git.closed, sleep(LAST_WORDS_MS, undefined, { ref: false })]);
    git.stderr.destroy();
    if (ending && ending.code !== 0 && !git.stopped) onFailure(ending);
  }
}

interface Received {
  whole: boolean;
  damage: unknown;
}

/** Gives git the body, and reads on where git wants no more. Never rejects: damage is noted, and git is stopped. */
async function feed({ git, body, request }: Exchange, received: Received): Promise<void> {
  const onWhole = (): void => {
    received.whole = true;
  };
  try {
    if (body) await copy(lastChunkWhenWhole(body, onWhole), git.stdin);
    git.stdin.end();
  } catch (error) {
    received.damage = error;
    git.stop();
    request.unpipe().resume();
  }
}

/** Passes git's output on, and waits for its end. */
async function answer({ git, response, success }: Exchange, packets: PacketWatch): Promise<Ending> {
  async function* output(): AsyncGenerator<Buffer> {
    for await (const chunk of git.stdout) {
      // Read to its end, or git would die of a broken pipe before it has removed its quarantine.
      if (git.stopped) continue;
      if (!response.headersSent && !response.destroyed) response.writeHead(200, success.headers).write(success.preface);
      packets.pass(chunk);
      yield chunk;
    }
  }
  // Standard output is destroyed where git is stopped or was killed; the ending says so.
  await copy(output(), response).catch(() => {});
  return git.ended;
}

function finish(parts: Exchange, { code }: Ending, packets: PacketWatch): void {
  const { git, asked, response, success } = parts;
  const silent = !response.headersSent;
  const died = code === GIT_DIED;
  if (silent && asked.advertisement && code !== 0) throw new Refusal(500, sentence(asked));
  // As git http-backend does: the message is part of upload-pack's output, and no client takes such output for a whole one. Nor an empty
  // one: a git that dies of a request without a word was asked what it does not do, such as a shallow fetch of nothing.
  if (code === 0 || (died && (silent || asked.service === "upload-pack"))) {
    if (!response.headersSent) response.writeHead(200, success.headers);
    response.end();
    return;
  }
  const last = git.stopped ? undefined : lastWords(parts, packets);
  if (last !== undefined) {
    if (!response.headersSent) response.writeHead(200, success.headers);
    response.write(last);
    // No client takes what such words end for the whole of a fetch.
    if (asked.service === "upload-pack") return void response.end();
  }
  hangUp(parts);
}

function sentence({ service }: GitRequest): string {
  return `git ${service} failed on this server; tell its operator.`;
}

/**
 * What a client prints of a git that failed in the middle of its answer; undefined where it would take it for something else. After a
 * push it is words only: nobody knows whether the refs were changed, and each of them stays without a report.
 */
function lastWords({ asked, response, requestId }: Exchange, packets: PacketWatch): Buffer | undefined {
  const { expected } = packets;
  const text = `${utf8(`${sentence(asked)} (request ${requestId})`)}\n`;
  if (asked.service === "receive-pack" && !asked.advertisement) {
    const band = expected === "band" || !response.headersSent;
    return band ? packet(`\x02${text}`) : undefined;
  }
  if (expected === undefined) return undefined;
  return packet(expected === "band" ? `\x03${text}` : `ERR ${text}`);
}

/**
 * Ends the connection in the middle of a response. There must be a head: a client that gets nothing at all over a connection it
 * has used before sends its request again (libcurl does), and the first one may have had its effect.
 */
function hangUp({ response, success }: Exchange): void {
  if (!response.headersSent) response.writeHead(200, success.headers).flushHeaders();
  response.socket?.destroySoon();
}
