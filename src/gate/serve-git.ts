// Serves one request for a repository: lets the user in, asks the sidecar, and runs git.
import type { IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";
import { clientAddress } from "../io/client-address.ts";
import { copy, piecesOf, untilClosed } from "../io/pump.ts";
import { linkSignals } from "../io/signals.ts";
import { exchange } from "../smart-http/exchange.ts";
import { type Ending, startGit } from "../smart-http/git-child.ts";
import { overhear } from "../smart-http/git-failure.ts";
import { gitProtocol, looksFirst, type Success, success } from "../smart-http/protocol.ts";
import { requestBody } from "../smart-http/request-body.ts";
import { gitRequest } from "../smart-http/route.ts";
import { noteOnSpan, traceParent } from "../tracing/tracing.ts";
import { cachedRequest } from "./cache/cached-request.ts";
import { beginBody, whatOf } from "./cache/ls-refs-request.ts";
import { findPacksHook } from "./cache/packs-hook.ts";
import type { ServeOptions, Shared } from "./serve-options.ts";
import type { Hand, Told } from "./served.ts";
import { Turn } from "./turn.ts";
import { admit } from "./users/users.ts";
import { realPath, whichReplica } from "./which-replica.ts";

/** Answers a request for a repository. Adds its facts to `fields` and `inHand`. Throws the reason to refuse it. */
export async function serveGit(
  request: IncomingMessage,
  response: ServerResponse,
  {
    root,
    socketDir,
    beforeRead,
    onReadFailed,
    users,
    onRefused = () => {},
    trustedProxies,
    bodyLimits,
    pushRefs,
    pushObject,
    pushLimiter,
    log,
    env,
  }: ServeOptions,
  { draining, stopping, earlyStarts, crowd, answers }: Shared,
  fields: Told,
  inHand: Hand,
): Promise<void> {
  const asked = gitRequest(request);
  Object.assign(fields, { repository: asked.repository, service: asked.service });
  noteOnSpan({ "lockstep.repository": asked.repository, "lockstep.service": asked.service });
  const received = asked.advertisement ? undefined : requestBody(request);
  if (received) inHand.unread = { asked, body: received };
  draining.throwIfAborted();
  using waiting = untilLeft(response, stopping);
  const { signal } = waiting;
  const { address, isLocal } = clientAddress(request, trustedProxies);
  Object.assign(inHand.seen, { advertisement: asked.advertisement, address });
  const user = await admit(users, { request, address, signal }, asked, onRefused);
  if (user !== undefined) fields.user = user;
  using turn = new Turn(crowd, isLocal ? undefined : address);
  const protocol = gitProtocol(request.headers["git-protocol"]);
  const { body, lsRefs, wish } = await beginBody(asked, protocol, received, { ...bodyLimits, signal });
  const path = join(root, `${asked.repository}.git`);
  const cached = cachedRequest(answers, asked, { protocol, lsRefs }, path);
  const forPush = asked.advertisement && asked.service === "receive-pack";
  const what = whatOf(asked, protocol, wish);
  if (what !== undefined) inHand.seen.what = what;
  const askedAt = performance.now();
  const ask = async () => {
    const asking = beforeRead(asked.repository, { signal, forPush, since: cached?.since });
    const grant = await asking.finally(() => {
      inHand.seen.waitMs = Math.round(performance.now() - askedAt);
    });
    cached?.granted(grant);
    Object.assign(inHand.seen, { version: grant.version, fetched: grant.fetched });
    return grant;
  };
  const answered = success(asked, protocol);
  const known = await cached?.answer(ask);
  if (known !== undefined) return await sendKept(response, answered, known, stopping);
  const granted = turn.grant(() => cached?.takeGrant() ?? ask(), signal);
  const programs = { path: env.PATH, home: env.HOME };
  const limits = { pushRefs, ...(pushObject !== undefined && { pushObject }) };
  const traced = { requestId: fields.requestId, traceparent: traceParent() };
  const client = { kind: "client", address, user, protocol, ...traced, socketDir, ...limits } as const;
  const start = async () => {
    const real = realPath(path, asked.repository);
    cached?.beforeStart();
    // Only the second request of a push has bytes that a client chooses.
    const limiter = asked.service === "receive-pack" && received ? pushLimiter : [];
    const packsHook = asked.service === "upload-pack" && received ? await findPacksHook(root) : undefined;
    return await startGit({ programs, asked, client: { ...client, packsHook }, path: real, limiter });
  };
  const place = () => whichReplica(path);
  const git = await earlyStarts.git(granted, {
    start,
    looksFirst: looksFirst(asked, protocol),
    place,
    room: turn.room,
  });
  cached?.started();
  const report = overhear(git, log, fields, "git said");
  const onFailure = (ending: Ending) => {
    report(ending);
    // A push may be damaged too, and then no disk is.
    if (asked.service === "upload-pack") onReadFailed?.(asked.repository, git.words);
  };
  inHand.unread = undefined;
  await exchange({
    git,
    asked,
    body,
    request,
    response,
    success: answered,
    requestId: fields.requestId,
    stopping,
    onFailure,
    recording: cached,
  });
  await cached?.keep(git);
  await untilClosed(response, stopping);
}

/** Resolves when the client has the answer: a client that takes nothing keeps its place among those that ask. */
async function sendKept(
  response: ServerResponse,
  { headers, preface }: Success,
  kept: Buffer,
  stopping: AbortSignal,
): Promise<void> {
  response.writeHead(200, headers).write(preface);
  await copy(piecesOf(kept), response, stopping);
  if (!response.destroyed) response.end();
  await untilClosed(response, stopping);
}

const LEFT = new DOMException("The client left.", "AbortError");

/** Returns a signal that aborts when the client leaves or the gate stops, until it is disposed of. */
function untilLeft(response: ServerResponse, stopping: AbortSignal): Disposable & { readonly signal: AbortSignal } {
  const linked = linkSignals([stopping]);
  // Nobody waits for anything once the answer is out. The reason is the same for all, since an error costs a stack.
  const left = () => response.writableFinished || linked.abort(LEFT);
  response.once("close", left);
  return {
    signal: linked.signal,
    [Symbol.dispose]() {
      linked[Symbol.dispose]();
      response.off("close", left);
    },
  };
}
