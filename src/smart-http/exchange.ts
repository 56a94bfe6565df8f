// Runs one request and its git process: bytes in, bytes out, and the end of the response.
//
// - 200 is sent with git's first byte. Before that, a failure can still be answered with an error.
// - The response ends cleanly only when git ended by itself: a client believes a response that ends cleanly. If git was
//   killed, the connection is cut, after a sentence where one fits between git's packets.
// - When a client goes away, its git is stopped, unless that git has received a whole push. Such a git may have moved
//   refs already, and has to run the post-receive hook.

import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { packet, utf8 } from "../framing/pkt-line.ts";
import { copy } from "../io/pump.ts";
import type { Ending, GitChild } from "./git-child.ts";
import { PacketWatch } from "./packet-watch.ts";
import type { Success } from "./protocol.ts";
import { asRefusal, damagedBodyRefusal, Refusal } from "./refusal.ts";
import { lastChunkWhenWhole } from "./request-body.ts";
import type { GitRequest } from "./route.ts";

/** git's exit code after a message to the client, such as `not our ref`. */
const GIT_DIED = 128;
/** A background process of a hook may keep standard error open. The log waits this long for its end. */
const LAST_WORDS_MS = 1_000;

/** The parts of one exchange: a request, its response and the git between them. */
export interface Exchange {
  readonly git: GitChild;
  readonly asked: GitRequest;
  /** The decoded body; undefined for an advertisement, which has none. */
  readonly body: AsyncIterable<Buffer> | undefined;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly success: Success;
  readonly requestId: string;
  /** When it aborts, git is stopped at once. A client that takes nothing more is then hung up on. */
  readonly stopping: AbortSignal;
  /** Called when git has ended, after its last output, unless it succeeded or was stopped. */
  readonly onFailure: (ending: Ending) => void;
  /** Gets git's output while it is passed on, and learns when all of it was. */
  readonly recording?: { add(chunk: Buffer): void; end(): void } | undefined;
}

/** Runs until git and the response have ended. Throws Refusal while no part of a response has been sent. */
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
    else if (received.damage instanceof Refusal) throw received.damage;
    else throw damagedBodyRefusal(received.damage);
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

/** Gives git the body, and keeps reading when git wants no more. Never rejects: it records damage and stops git. */
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

/** Passes git's output on, and waits until git ends. */
async function answer(
  { git, response, success, stopping, recording }: Exchange,
  packets: PacketWatch,
): Promise<Ending> {
  async function* output(): AsyncGenerator<Buffer> {
    for await (const chunk of git.stdout) {
      // A stopped git's output is read to its end. Otherwise a broken pipe would kill git before it has removed its
      // quarantine.
      if (git.stopped) continue;
      if (!response.headersSent && !response.destroyed) response.writeHead(200, success.headers).write(success.preface);
      packets.pass(chunk);
      recording?.add(chunk);
      yield chunk;
    }
    if (!git.stopped) recording?.end();
  }
  // Standard output is destroyed when git was stopped or killed. The ending says so.
  await copy(output(), response, stopping).catch(() => {});
  return git.ended;
}

function finish(parts: Exchange, { code }: Ending, packets: PacketWatch): void {
  const { git, asked, response, success } = parts;
  const silent = !response.headersSent;
  const died = code === GIT_DIED;
  if (silent && asked.advertisement && code !== 0) {
    const hung = git.hungError();
    throw hung ? asRefusal(hung) : new Refusal(500, sentence(asked, git));
  }
  // The same as git http-backend does: the message is part of upload-pack's output, and no client takes such output for
  // complete. The same holds for empty output. A git that dies without a word got a request that git does not support,
  // such as a shallow fetch of nothing.
  if (code === 0 || (died && (silent || asked.service === "upload-pack"))) {
    if (!response.headersSent) response.writeHead(200, success.headers);
    response.end();
    return;
  }
  const last = git.stopped ? undefined : lastWords(parts, packets);
  if (last !== undefined) {
    if (!response.headersSent) response.writeHead(200, success.headers);
    response.write(last);
    // No client takes a fetch that ends with such words for complete.
    if (asked.service === "upload-pack") return void response.end();
  }
  hangUp(parts);
}

function sentence({ service }: GitRequest, git: GitChild): string {
  if (git.hungError()) return `git ${service} showed no work on this server and was ended; try again.`;
  return `git ${service} failed on this server; tell its operator.`;
}

/**
 * Returns the message that a client prints when git failed in the middle of its answer; undefined where a client would
 * misread it. After a push the message has no report of refs, since nobody knows whether they changed.
 */
function lastWords({ git, asked, response, requestId }: Exchange, packets: PacketWatch): Buffer | undefined {
  const { expected } = packets;
  const text = `${utf8(`${sentence(asked, git)} (request ${requestId})`)}\n`;
  if (asked.service === "receive-pack" && !asked.advertisement) {
    const band = expected === "band" || !response.headersSent;
    return band ? packet(`\x02${text}`) : undefined;
  }
  if (expected === undefined) return undefined;
  return packet(expected === "band" ? `\x03${text}` : `ERR ${text}`);
}

/**
 * Cuts the connection in the middle of a response. The head must be sent first. A client that gets no byte at all over
 * a reused connection sends its request again (libcurl does). The first request may have had its effect already.
 */
function hangUp({ response, success }: Exchange): void {
  if (!response.headersSent) response.writeHead(200, success.headers).flushHeaders();
  response.socket?.destroySoon();
}
