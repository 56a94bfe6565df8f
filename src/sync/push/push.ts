// A push that git's receive-pack handed over: policy, then a write that lands or is dropped as one. The locks are held for
// milliseconds, never for the upload. Before the bump everything may be thrown away, after it only forward.
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import type { RefAuthor, RefName, Version } from "../../domain.ts";
import { LockstepError } from "../../errors.ts";
import { startWalk, type Walk } from "../../git/objects/connectivity.ts";
import { withHooksFrom } from "../../git/refs/ref-transaction.ts";
import { StartedTransaction } from "../../git/refs/started-transaction.ts";
import { linkSignals } from "../../io/signals.ts";
import { writesStoppedError } from "../../store/write-stops.ts";
import type { SyncContext } from "../device/context.ts";
import type { Replica } from "../device/replica.ts";
import { beforeRead } from "../read/before-read.ts";
import { type Attempt, attemptWrite } from "../write/attempt.ts";
import { makeCopies } from "../write/copies.ts";
import { applyPolicy } from "../write/push-policy.ts";
import type { Pusher, PushReport, PushRequest } from "../write/request.ts";
import { describeHolder, Turn } from "../write/turn.ts";
import { Aliases, meantBy, tellOf } from "./aliases.ts";

/** Races lost to other devices before a push queues for the repository's turn. */
const RACES = 3;
/** Not reached while turns work; a push must not go on for ever when something else is wrong. */
const RACES_LIMIT = 50;
/** A database that fails so many decisions of a push in a row is not asked again. */
const FAILURES_LIMIT = 3;
const TURN_PATIENCE_MS = 30_000;

/**
 * Lands what may land and says what became of each ref. Throws OUTCOME_UNKNOWN when the database did not say whether the write
 * landed: then the pusher must be told neither yes nor no. Every other error means that nothing landed. `started` as from
 * `startGitEarly`; it stays the caller's to dispose of.
 */
export async function push(
  context: SyncContext,
  request: PushRequest,
  pusher: Pusher,
  started?: StartedGit,
): Promise<PushReport> {
  const { clock } = request;
  let replica = await replicaOf(context, request.repository);
  clock.lap("readMs");
  const report = new Map<RefName, string | null>(request.updates.map(({ name }) => [name, null]));
  const walk = started?.walkOf(replica.gitDir);
  const { allowed, hooks } = await applyPolicy(context, replica, request, report, pusher, walk);
  clock.lap("policyMs");
  // The git that was started early looks into the repository.
  const hooksElsewhere = hooks !== join(replica.gitDir, "hooks");
  const refAuthor = hooksElsewhere ? withHooksFrom(hooks, request.refAuthor) : request.refAuthor;
  let writeId: string = randomUUID();
  let races = 0;
  let failures = 0;
  // Its ticket is one for all attempts, each of which has an id of its own.
  let turn: Turn | undefined;
  const aliases = new Aliases();
  let copies: string[] | undefined;
  let tooFew: unknown;
  const lastRule = replica.copiesRule;
  try {
    if (lastRule.atLeast > 1 && allowed.length > 0) {
      // The rule may have changed since: whether they are enough the write finds out.
      const asLastTime = { updates: allowed, rule: lastRule, tell: pusher.say };
      copies = await makeCopies(context, replica, asLastTime).catch((error: unknown) => {
        tooFew = error;
        return undefined;
      });
      clock.lap("copiesMs");
    }
    for (;;) {
      const { updates, told } = meantBy(allowed, aliases, request, report);
      if (updates.length === 0) return report;
      const attempt = await attemptWrite(context, replica, {
        writeId,
        ticket: turn?.ticket,
        request: { ...request, updates, refAuthor },
        report: told,
        aliases: aliases.held,
        pusher,
        started: hooksElsewhere ? undefined : started?.transaction,
        clock,
        holders: copies,
      }).catch((error: unknown) => startOver(replica, error));
      if (attempt.outcome === "done") {
        tellOf(allowed, aliases, told, report);
        logPush(context, request, attempt.version, races);
        context.metrics.pushed(clock.durationMs / 1000, races);
        return report;
      }
      if (attempt.outcome === "aliases") {
        aliases.learn(attempt.held);
        writeId = randomUUID();
        continue;
      }
      if (attempt.outcome === "too_few_copies") {
        if (tooFew !== undefined && isDeepStrictEqual(attempt.rule, lastRule)) throw tooFew;
        tooFew = undefined;
        copies = await makeCopies(context, replica, { updates: allowed, rule: attempt.rule, tell: pusher.say });
        clock.lap("copiesMs");
        writeId = randomUUID();
        continue;
      }
      if (attempt.outcome === "stopped") throw writesStoppedError(request.repository, attempt.reason);
      writeId = randomUUID();
      races += 1;
      failures = attempt.outcome === "raced" && attempt.failure !== undefined ? failures + 1 : 0;
      if (attempt.outcome === "raced" && failures >= FAILURES_LIMIT) throw attempt.failure;
      if (races > RACES_LIMIT) {
        throw new LockstepError(
          "WRITE_DROPPED",
          `The push lost ${races} races in a row; nothing was written, push again.`,
        );
      }
      // Other devices keep winning, or someone has the turn: queue for it, so that nobody starves.
      if (attempt.outcome === "turn" || races >= RACES) {
        turn ??= new Turn(context, request.repository, {
          repositoryId: replica.id,
          writeId: randomUUID(),
          author: request.author,
          reason: "push",
        });
        await turn.wait({
          patienceMs: TURN_PATIENCE_MS,
          signal: pusher.gone,
          tell: (holder) => pusher.say(`waiting for ${describeHolder(holder)}`),
        });
        clock.lap("turnMs");
      }
      replica = await readFirst(context, request.repository);
      clock.lap("readMs");
    }
  } finally {
    turn?.giveBack();
  }
}

/**
 * The replica to write to. One that this process knows to be whole is not asked about: the write itself is refused unless the
 * replica is at the head, and what else there is to find out is found then.
 */
async function replicaOf(context: SyncContext, repository: string): Promise<Replica> {
  const known = context.replicas.findByName(repository);
  await known?.mutex.look();
  if (known?.applied !== undefined) return known;
  return await readFirst(context, repository);
}

/** Gits that wait for the refs of a push. */
export interface StartedGit extends AsyncDisposable {
  readonly transaction: StartedTransaction;
  /** The walk that tells whether new values are whole, if it is one in that repository; once. */
  walkOf(gitDir: string): Walk | undefined;
}

/**
 * The gits of a push whose commands are still to come, where they may be started now: a start takes as long as all the
 * rest of a small push. To be disposed of.
 */
export function startGitEarly(
  context: SyncContext,
  repository: string,
  { author, gone }: { author: RefAuthor; gone: AbortSignal },
): StartedGit | undefined {
  const known = context.replicas.findByName(repository);
  if (known?.applied === undefined) return undefined;
  const { gitDir } = known;
  const transaction = new StartedTransaction(context.git, gitDir, author);
  const walk = startWalk(context.git, gitDir, { signal: gone });
  let taken = false;
  return {
    transaction,
    walkOf(wanted) {
      if (taken || wanted !== gitDir) return undefined;
      taken = true;
      return walk;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([transaction[Symbol.asyncDispose](), walk[Symbol.asyncDispose]()]);
    },
  };
}

function logPush(
  context: SyncContext,
  { repository, author, updates, requestId, clock }: PushRequest,
  version: Version | null,
  races: number,
): void {
  context.log.info(
    {
      repository,
      version: version === null ? null : String(version),
      author,
      refs: updates.length,
      requestId,
      races,
      ...clock.laps,
      durationMs: clock.durationMs,
    },
    version === null ? "push changed nothing" : "push landed",
  );
}

/** Where a part of the replica is gone, it is made anew and the write tried again; nothing of it has landed. */
async function startOver(replica: Replica, error: unknown): Promise<Attempt> {
  const unknown = error instanceof LockstepError && error.code === "OUTCOME_UNKNOWN";
  if (unknown || !(await replica.mutex.lookForMissing())) throw error;
  return { outcome: "raced" };
}

/** How long a push waits for this replica to catch up: longer than a read, the pusher has uploaded already. */
const READ_PATIENCE_MS = 120_000;

async function readFirst(context: SyncContext, repository: string): Promise<Replica> {
  using patience = linkSignals([context.signal], READ_PATIENCE_MS);
  return (await beforeRead(context, repository, { signal: patience.signal })).replica;
}
