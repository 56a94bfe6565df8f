// Serves one request: reads it, asks the sidecar, runs git, and writes the log.
import type { IncomingMessage, ServerResponse } from "node:http";
import type { BlockList } from "node:net";
import { join } from "node:path";
import { foreignHost, type HostNames } from "../host-names.ts";
import { clientAddress } from "../io/client-address.ts";
import { linkSignals } from "../io/signals.ts";
import { exchange } from "../smart-http/exchange.ts";
import { type Ending, GitNotStarted, startGit } from "../smart-http/git-child.ts";
import { logNotStarted, overhear } from "../smart-http/git-failure.ts";
import { gitProtocol, looksFirst, success } from "../smart-http/protocol.ts";
import { asRefusal, Refusal } from "../smart-http/refusal.ts";
import { type BodyLimits, requestBody } from "../smart-http/request-body.ts";
import { requestIdOf } from "../smart-http/request-id.ts";
import { type GitRequest, gitRequest } from "../smart-http/route.ts";
import { traceKeys, traceParentOf } from "../trace-parent.ts";
import type { AnswerCache } from "./cache/answer-cache.ts";
import { cachedRequest } from "./cache/cached-request.ts";
import { beginBody, type ReadFor, whatOf } from "./cache/ls-refs-request.ts";
import { findPacksHook } from "./cache/packs-hook.ts";
import type { EarlyStarts, Grant } from "./early-start.ts";
import { type InHand, refuse } from "./refuse.ts";
import { type Crowd, Turn } from "./turn.ts";
import { admit, type RefusedUser, type UserRules } from "./users.ts";
import { realPath, whichReplica } from "./which-replica.ts";

type Log = (fields: Record<string, unknown>, message: string) => void;

/** The facts about a request, for the log of the gate. */
type Told = {
  readonly requestId: string;
  /** The place in a trace that the client named. */
  readonly trace_id?: string;
  readonly span_id?: string;
  repository?: string;
  service?: GitRequest["service"];
  user?: string;
};

/** Further facts, for the pull log. */
interface Seen {
  /** The address of the client. */
  address?: string;
  /** undefined: it reads nothing, or a hook tells of it. */
  what?: ReadFor;
  /** Milliseconds from the question to the sidecar until git may start. */
  waitMs?: number;
  fetched?: boolean | undefined;
  version?: string | undefined;
}

interface Hand extends InHand {
  readonly seen: Seen;
}

/** A request that was answered. */
export type ServedRequest = Told & Seen & { readonly status: number; readonly durationMs: number };

/** The settings and services that a gate needs for its requests. */
export interface ServeOptions {
  /** The directory of the repositories: NAME is at `root/NAME.git`. */
  readonly root: string;
  /** The directory where the hooks of git find the sidecar. */
  readonly socketDir: string;
  /**
   * Resolves when this device may serve the repository. Rejects with the reason, preferably a LockstepError. The signal
   * aborts when the client leaves or the gate stops; then it must settle. `forPush`: a push begins, and nothing of it
   * has been uploaded.
   */
  readonly beforeRead: (repository: string, options: { signal: AbortSignal; forPush: boolean }) => Promise<Grant>;
  /** Called when a git that read for a client has failed, with its last words. It must not throw. */
  readonly onReadFailed?: (repository: string, said: string) => void;
  /** Called when a request was answered, or refused with that error. It must not throw. */
  readonly onServed?: (served: ServedRequest, error?: unknown) => void;
  readonly users: UserRules;
  /** Called when a user's credentials were refused. It must not throw. */
  readonly onRefused?: (refused: RefusedUser) => void;
  /** The names under which clients may ask for this gate. */
  readonly hostNames: HostNames;
  /** The proxies whose X-Forwarded-For is believed. */
  readonly trustedProxies: BlockList;
  readonly bodyLimits: BodyLimits;
  /** How many refs a push may change; 0: any number. */
  readonly pushRefs: number;
  /** Every object of a push must be smaller than so many MiB; 0: any size. Default: 1,024. */
  readonly pushObject?: number;
  /** A program with its first arguments that becomes the git of a push, with limited memory. Empty: no limit. */
  readonly pushLimiter: readonly string[];
  readonly log: { readonly info: Log; readonly warn: Log; readonly error: Log };
  readonly env: { readonly PATH: string; readonly HOME: string };
}

/** The state that all requests to a gate share. */
export interface Shared {
  /** Aborts when no new request is accepted; the reason is the error to answer with. */
  readonly draining: AbortSignal;
  /** Aborts when no request may go on; the reason is the error to answer with. */
  readonly stopping: AbortSignal;
  readonly earlyStarts: EarlyStarts;
  readonly crowd: Crowd;
  readonly answers: AnswerCache;
}

/**
 * Answers a request. Resolves when its git process is gone, perhaps before the client has read everything. Never
 * rejects: an error becomes an answer or a hang-up, and a line in the log.
 */
export async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  options: ServeOptions,
  shared: Shared,
): Promise<void> {
  const started = performance.now();
  const requestId = requestIdOf(request);
  const fields: Told = { requestId, ...traceKeys(traceParentOf(request.headers.traceparent)) };
  const outcome = () => ({
    ...fields,
    status: response.statusCode,
    durationMs: Math.round(performance.now() - started),
  });
  response.setHeader("X-Request-Id", requestId);
  // A client may leave at any moment; the exchange learns it from `close`.
  response.on("error", () => {});
  const inHand: Hand = { seen: {} };
  try {
    const foreign = foreignHost(request.headers.host, options.hostNames);
    if (foreign !== undefined) throw new Refusal(421, foreign);
    await serveGit(request, response, options, shared, fields, inHand);
    options.log.info(outcome(), response.writableEnded ? "request served" : "request ended by a hang-up");
    options.onServed?.({ ...outcome(), ...inHand.seen });
  } catch (error) {
    if (response.destroyed) return options.log.info(outcome(), "client left");
    if (error instanceof GitNotStarted) logNotStarted(options.log, fields, error.cause);
    const refusal = asRefusal(shared.stopping.aborted ? shared.stopping.reason : error);
    await refuse(response, refusal, requestId, { ...inHand, idleMs: options.bodyLimits.idleMs });
    request.unpipe().resume();
    options.log[refusal.status === 500 ? "error" : "warn"]({ ...outcome(), err: error }, "request refused");
    options.onServed?.({ ...outcome(), ...inHand.seen, status: refusal.status }, error);
  }
}

async function serveGit(
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
  const received = asked.advertisement ? undefined : requestBody(request);
  if (received) inHand.unread = { asked, body: received };
  draining.throwIfAborted();
  using waiting = untilLeft(response, stopping);
  const { signal } = waiting;
  const { address, isLocal } = clientAddress(request, trustedProxies);
  inHand.seen.address = address;
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
    const grant = await beforeRead(asked.repository, { signal, forPush });
    const waitMs = Math.round(performance.now() - askedAt);
    Object.assign(inHand.seen, { waitMs, version: grant.version, fetched: grant.fetched });
    return grant;
  };
  const answered = success(asked, protocol);
  const known = await cached?.answer(ask);
  if (known !== undefined) {
    response.writeHead(200, answered.headers).end(Buffer.concat([Buffer.from(answered.preface), known]));
    return;
  }
  const granted = turn.grant(() => cached?.takeGrant() ?? ask(), signal);
  const { requestId } = fields;
  const programs = { path: env.PATH, home: env.HOME };
  const limits = { pushRefs, ...(pushObject !== undefined && { pushObject }) };
  const { traceparent } = request.headers;
  const client = { kind: "client", address, user, protocol, requestId, traceparent, socketDir, ...limits } as const;
  const start = async () => {
    const real = await realPath(path, asked.repository);
    await cached?.beforeStart();
    const limiter = asked.service === "receive-pack" ? pushLimiter : [];
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
    // What a pusher sends may be damaged too, and that is nobody's disk.
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
    requestId,
    stopping,
    onFailure,
    recording: cached,
  });
  await cached?.keep(git);
}

/** Returns a signal that aborts when the client leaves or the gate stops, until it is disposed of. */
function untilLeft(response: ServerResponse, stopping: AbortSignal): Disposable & { readonly signal: AbortSignal } {
  const linked = linkSignals([stopping]);
  const left = () => linked.abort();
  response.once("close", left);
  return {
    signal: linked.signal,
    [Symbol.dispose]() {
      linked[Symbol.dispose]();
      response.off("close", left);
    },
  };
}
