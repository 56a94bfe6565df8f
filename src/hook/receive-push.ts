// A push as the shim hands it over: its commands are read, decided and reported (docs/hook-protocol.md).
import { randomUUID } from "node:crypto";
import { setImmediate } from "node:timers/promises";
import { crashPoint } from "../crash-points.ts";
import type { RefAuthor } from "../domain.ts";
import { describe, firstError, LockstepError } from "../errors.ts";
import type { Frame } from "../framing/frames.ts";
import { visible } from "../io/visible.ts";
import { toldToStrangers, withoutPaths } from "../smart-http/strangers.ts";
import type { SyncContext } from "../sync/device/context.ts";
import { findHeldBack, type HeldBack, reportHeldBack } from "../sync/push/held-back.ts";
import { push } from "../sync/push/push.ts";
import { type StartedGit, startGitEarly } from "../sync/push/start-early.ts";
import { PushReport } from "../sync/write/push-report.ts";
import type { Pusher } from "../sync/write/request.ts";
import { Stopwatch } from "../telemetry/stopwatch.ts";
import { authorOf, refAuthorOf } from "./author.ts";
import { type Hello, nameOf } from "./hello.ts";
import { encodeReport, ProcReceive, type PushCommands } from "./proc-receive.ts";
import { type HookTimes, notePush } from "./push-event.ts";
import { limitsOf, refuseTooMany } from "./push-limits.ts";
import { type PushNote, takeNote } from "./push-note.ts";

const NUL = Buffer.alloc(1);

/** Sends a frame to the shim, if the shim still listens. */
export type Send = (type: string, payload: Buffer | string) => void;

/** Handles a push. Returns the exit code of the hook, or undefined when the outcome is unknown. */
export async function receive(
  context: SyncContext,
  hello: Hello,
  frames: AsyncGenerator<Frame>,
  send: Send,
): Promise<number | undefined> {
  const arrivedAt = Date.now();
  const hooks: HookTimes = { before: 0, update: 0 };
  const gone = new AbortController();
  const answers: ((code: number) => void)[] = [];
  const limits = limitsOf(hello.env);
  const conversation = new ProcReceive((bytes) => send("O", bytes), limits);
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
  const noted = named.then(async () => {
    const note = await takeNote(hello.dir, hello.push, limits.bytes);
    if (note) hooks.before = Math.max(0, arrivedAt - note.writtenAt);
    return note;
  });
  noted.catch(() => {});
  await using git = await startEarly(context, named, refAuthorOf(hello.env));
  const commands = await arriving;
  // The input ended before the commands: receive-pack died, and nobody waits for an answer.
  if (commands === undefined) return undefined;
  const pusher: Pusher = {
    gone: gone.signal,
    settings: hello.settings,
    say: (text) => send("E", `lockstep: ${visible(text)}\n`),
    sayAsGit: (text) => send("E", `${visible(text)}\n`),
    async runHook(path, args) {
      const startedAt = performance.now();
      send("U", Buffer.concat([path, ...args].flatMap((each) => [Buffer.from(each as string), NUL])));
      const code = await new Promise<number>((answer) => (gone.signal.aborted ? answer(1) : answers.push(answer)));
      // The other program is a shell that asks git for its settings.
      if (path !== "sh") hooks.update += performance.now() - startedAt;
      return code;
    },
  };
  return await decideAndReport(context, { hello, named, commands, noted, git, hooks }, pusher, send);
}

function outOfPlaceError(type: string): LockstepError {
  return new LockstepError("INVALID_REQUEST", `A shim sent a frame ${JSON.stringify(type)} at the wrong time.`);
}

/** Starts git for a push, after git's first question has been answered, since a start delays everything else. */
async function startEarly(
  context: SyncContext,
  named: Promise<string>,
  author: RefAuthor,
): Promise<StartedGit | undefined> {
  const repository = await named.catch(() => undefined);
  await setImmediate();
  return repository === undefined ? undefined : startGitEarly(context, repository, author);
}

interface HandedOver {
  readonly hello: Hello;
  readonly named: Promise<string>;
  readonly commands: PushCommands;
  /** The whole push, of which git may hand over only a part; undefined: not known. */
  readonly noted: Promise<PushNote | undefined>;
  readonly git: StartedGit | undefined;
  readonly hooks: HookTimes;
}

async function decideAndReport(
  context: SyncContext,
  { hello, named, commands, noted, git, hooks }: HandedOver,
  pusher: Pusher,
  send: Send,
): Promise<number | undefined> {
  const requestId = hello.env.get("LOCKSTEP_REQUEST_ID") ?? randomUUID();
  const clock = new Stopwatch();
  let repository: string | undefined;
  let held: HeldBack = new Map();
  let outcome: PushReport | Error;
  let code: number | undefined = 0;
  try {
    repository = await named;
    held = await findHeldBack(hello.dir, commands.updates, (await noted)?.updates);
    refuseNamespace(hello.env);
    const { updates, dropped } = commands;
    refuseTooMany(limitsOf(hello.env), { kept: updates.length, dropped, held: held.size });
    await crashPoint("push.received");
    const [author, refAuthor] = [authorOf(hello.env), refAuthorOf(hello.env)];
    const request = { ...commands, repository, author, refAuthor, requestId, clock };
    const report = await push(context, request, pusher, git);
    await crashPoint("push.reporting");
    const whole = await reportHeldBack(hello.dir, report, held);
    send("O", encodeReport(shown(context, whole, { repository, requestId })));
    outcome = report;
  } catch (thrown) {
    const error = firstError(thrown);
    outcome = error instanceof Error ? error : new Error(String(error));
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
    const names = [...commands.updates.map(({ name }) => name), ...held.keys()];
    // An unexpected error may have come after the decision.
    if (unknown || !expected) code = undefined;
    else send("O", encodeReport(new PushReport(names.map((name) => [name, refLine(error)]))));
  }
  // The pusher has its answer, whatever becomes of the note.
  notePush(context, { hello, repository, updates: commands.updates, clock, hooks, outcome });
  return code;
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
