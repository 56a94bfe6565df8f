// The socket of the shims: git hands pushes over here, and reads ask here first (docs/hook-protocol.md).
import { randomUUID } from "node:crypto";
import { chmod, rm } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { setImmediate, setTimeout as sleep } from "node:timers/promises";
import { crashPoint } from "../crash-points.ts";
import type { RefAuthor, RefUpdate } from "../domain.ts";
import { describe, firstError, LockstepError } from "../errors.ts";
import { encodeFrames, type Frame, readFrames } from "../framing/frames.ts";
import { linkSignals } from "../io/signals.ts";
import { visible } from "../io/visible.ts";
import { toldToStrangers, withoutPaths } from "../smart-http/strangers.ts";
import type { SyncContext } from "../sync/device/context.ts";
import { findHeldBack, type HeldBack, reportHeldBack } from "../sync/push/held-back.ts";
import { push } from "../sync/push/push.ts";
import { type StartedGit, startGitEarly } from "../sync/push/start-early.ts";
import { beforeRead } from "../sync/read/before-read.ts";
import { PushReport } from "../sync/write/push-report.ts";
import type { Pusher } from "../sync/write/request.ts";
import { Stopwatch } from "../telemetry/stopwatch.ts";
import { authorOf, refAuthorOf } from "./author.ts";
import { type Hello, nameOf, parseHello } from "./hello.ts";
import { encodeReport, ProcReceive, type PushCommands } from "./proc-receive.ts";
import { takeNote } from "./push-note.ts";

const READ_PATIENCE_MS = 60_000;

/** A running server for the shims. */
export interface HookServer {
  /** Stops listening and waits for running pushes, at most `graceMs`. */
  stop(graceMs: number): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Serves the shims on `path`, a unix socket for this user only. */
export async function serveHooks(context: SyncContext, path: string): Promise<HookServer> {
  const open = new Set<Socket>();
  // When its pusher is gone, a shim ends its side and waits for `X`. Without `X` it kills receive-pack, which then
  // leaves its .keep.
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    open.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => open.delete(socket));
    void converse(context, socket);
  });
  await rm(path, { force: true });
  await new Promise<void>((done, failed) => server.once("error", failed).listen(path, done));
  await chmod(path, 0o600);
  // Ends when the last conversation has ended.
  let closed: Promise<void> | undefined;
  const close = () => {
    closed ??= new Promise<void>((done) => void server.close(() => done()));
    return closed;
  };
  return {
    async stop(graceMs) {
      await Promise.race([close(), sleep(graceMs, undefined, { ref: false })]);
    },
    async [Symbol.asyncDispose]() {
      const done = close();
      for (const socket of open) socket.destroy();
      await done;
    },
  };
}

async function converse(context: SyncContext, socket: Socket): Promise<void> {
  // A shim that has ended its input still waits for an answer.
  const frames = readFrames(socket.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>);
  const send = (type: string, payload: Buffer | string) => {
    if (socket.writable) socket.write(encodeFrames(type, payload));
  };
  try {
    const first = await frames.next();
    if (first.done) return void socket.destroy();
    const hello = parseHello(first.value);
    const code =
      hello.op === "proc-receive" ? await receive(context, hello, frames, send) : await read(context, hello, send);
    if (code !== undefined && socket.writable) socket.end(encodeFrames("X", String(code)));
    else socket.destroy();
  } catch (error) {
    // Without an exit code the shim does not know the outcome, and the client sees a hang-up.
    context.log.error({ err: describe(error) }, "a conversation with a shim broke off");
    socket.destroy();
  }
}

const NUL = Buffer.alloc(1);

type Send = (type: string, payload: Buffer | string) => void;

/**
 * Answers an upload-pack or receive-pack that was started over ssh: may this device serve the repository now? Returns
 * the exit code for the shim.
 */
async function read(context: SyncContext, { dir, op, env }: Hello, send: Send): Promise<number> {
  try {
    const name = await nameOf(context.root, dir);
    using patience = linkSignals([context.signal], READ_PATIENCE_MS);
    const { replica } = await beforeRead(context, name, { signal: patience.signal, forPush: op === "receive-pack" });
    send("P", replica.gitDir);
    return 0;
  } catch (error) {
    const requestId = env.get("LOCKSTEP_REQUEST_ID") ?? randomUUID();
    context.log.warn({ dir, requestId, err: describe(error) }, "read refused");
    send("E", `lockstep: ${visible(toldToStrangers(error))} (request ${visible(requestId)})\n`);
    return 1;
  }
}

/** Handles a push. Returns the exit code of the hook, or undefined when the outcome is unknown. */
async function receive(
  context: SyncContext,
  hello: Hello,
  frames: AsyncGenerator<Frame>,
  send: Send,
): Promise<number | undefined> {
  const gone = new AbortController();
  const answers: ((code: number) => void)[] = [];
  const conversation = new ProcReceive((bytes) => send("O", bytes));
  const arriving = new Promise<PushCommands | undefined>((complete, failed) => {
    void (async () => {
      for await (const { type, payload } of frames) {
        if (type === "R") {
          const answer = answers.shift();
          const code = payload.toString();
          if (answer === undefined || !/^\d{1,3}$/.test(code)) throw outOfPlaceError(type);
          answer(Number(code));
          continue;
        }
        if (type !== "I") throw outOfPlaceError(type);
        if (payload.length === 0) break;
        const pushed = conversation.push(payload);
        if (pushed) complete(pushed);
      }
      complete(undefined);
    })()
      .catch(failed)
      .finally(() => {
        gone.abort();
        for (const answer of answers) answer(1);
      });
  });
  arriving.catch(() => {});
  const named = nameOf(context.root, hello.dir);
  const noted = named.then(() => takeNote(hello.dir, hello.push));
  noted.catch(() => {});
  await using git = await startEarly(context, named, { author: refAuthorOf(hello.env), gone: gone.signal });
  const commands = await arriving;
  // The input ended before the commands: receive-pack died, and nobody waits for an answer.
  if (commands === undefined) return undefined;
  const pusher: Pusher = {
    gone: gone.signal,
    settings: hello.settings,
    say: (text) => send("E", `lockstep: ${visible(text)}\n`),
    sayAsGit: (text) => send("E", `${visible(text)}\n`),
    runHook(path, args) {
      send("U", Buffer.concat([path, ...args].flatMap((each) => [Buffer.from(each as string), NUL])));
      return new Promise<number>((answer) => (gone.signal.aborted ? answer(1) : answers.push(answer)));
    },
  };
  return await decideAndReport(context, { hello, named, commands, noted, git }, pusher, send);
}

function outOfPlaceError(type: string): LockstepError {
  return new LockstepError("INVALID_REQUEST", `A shim sent a frame ${JSON.stringify(type)} at the wrong time.`);
}

/** Starts git for a push, after git's first question has been answered, since a start delays everything else. */
async function startEarly(
  context: SyncContext,
  named: Promise<string>,
  whose: { author: RefAuthor; gone: AbortSignal },
): Promise<StartedGit | undefined> {
  const repository = await named.catch(() => undefined);
  await setImmediate();
  return repository === undefined ? undefined : startGitEarly(context, repository, whose);
}

interface HandedOver {
  readonly hello: Hello;
  readonly named: Promise<string>;
  readonly commands: PushCommands;
  /** The whole push, of which git may hand over only a part; undefined: not known. */
  readonly noted: Promise<RefUpdate[] | undefined>;
  readonly git: StartedGit | undefined;
}

async function decideAndReport(
  context: SyncContext,
  { hello, named, commands, noted, git }: HandedOver,
  pusher: Pusher,
  send: Send,
): Promise<number | undefined> {
  const requestId = hello.env.get("LOCKSTEP_REQUEST_ID") ?? randomUUID();
  const clock = new Stopwatch();
  let repository: string | undefined;
  let held: HeldBack = new Map();
  try {
    repository = await named;
    held = await findHeldBack(hello.dir, commands.updates, await noted);
    refuseNamespace(hello.env);
    await crashPoint("push.received");
    const [author, refAuthor] = [authorOf(hello.env), refAuthorOf(hello.env)];
    const request = { ...commands, repository, author, refAuthor, requestId, clock };
    const report = await push(context, request, pusher, git);
    await crashPoint("push.reporting");
    const whole = await reportHeldBack(hello.dir, report, held);
    send("O", encodeReport(shown(context, whole, { repository, requestId })));
  } catch (thrown) {
    const error = firstError(thrown);
    const unknown = error instanceof LockstepError && error.code === "OUTCOME_UNKNOWN";
    context.metrics.pushFailed(unknown);
    const expected = error instanceof LockstepError;
    context.log[unknown || !expected ? "error" : "warn"](
      {
        repository,
        dir: hello.dir,
        requestId,
        ...clock.laps,
        durationMs: clock.durationMs,
        err: expected ? describe(error) : error,
      },
      "push failed",
    );
    pusher.say(`${toldToStrangers(error)} (request ${requestId})`);
    // An unexpected error may have come after the decision.
    if (unknown || !expected) return undefined;
    const names = [...commands.updates.map(({ name }) => name), ...held.keys()];
    send("O", encodeReport(new PushReport(names.map((name) => [name, refLine(error)]))));
  }
  return 0;
}

/** Refuses a namespace: in one, git means other refs by the names that it hands over. */
function refuseNamespace(env: ReadonlyMap<string, string>): void {
  if (!env.get("GIT_NAMESPACE")) return;
  throw new LockstepError(
    "INVALID_REQUEST",
    "The git server serves a namespace (GIT_NAMESPACE), which Lockstep cannot serve. Nothing was written; push to a repository of its own.",
  );
}

/** Returns the report for strangers. Logs git's words in full where the report shortens them. */
function shown(context: SyncContext, report: PushReport, said: { repository: string; requestId: string }): PushReport {
  const told = new PushReport([...report].map(([name, reason]) => [name, reason && withoutPaths(reason)]));
  const hidden = report.refusals.flatMap(([, reason]) => (withoutPaths(reason) === reason ? [] : [reason]));
  if (hidden.length > 0)
    context.log.warn({ ...said, err: hidden.slice(0, 10).join("; ") }, "refs of a push were refused");
  return told;
}

/**
 * Returns the reason that is shown behind each ref. Many programs show only that, so it includes the operator's reason.
 */
function refLine({ code, details }: LockstepError): string {
  const why = code === "WRITES_STOPPED" ? `: ${Buffer.from(visible(details.reason ?? "")).toString("latin1")}` : "";
  return `lockstep: ${code.toLowerCase().replaceAll("_", " ")}${why}`;
}
