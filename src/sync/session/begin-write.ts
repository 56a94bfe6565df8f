// Begins a write session: the turn, the head, a scratch repository.
import { join } from "node:path";
import { crashPoint } from "../../crash-points.ts";
import type { Version } from "../../domain.ts";
import { describe, type LockstepError } from "../../errors.ts";
import { STATE_DIR } from "../../git/root/root-record.ts";
import { createScratch, scratchPath } from "../../git/scratch/scratch.ts";
import { findScratch } from "../../git/scratch/scratch-changes.ts";
import { writesElsewhereError } from "../../store/replica/placement.ts";
import { missingRepositoryError } from "../../store/repository/former-names.ts";
import { type Begun, beginSession, renewSession } from "../../store/write/sessions.ts";
import { IdInUse } from "../../store/write/turns.ts";
import { writesStoppedError } from "../../store/write/write-stops.ts";
import { Stopwatch } from "../../telemetry/stopwatch.ts";
import type { BeginCall } from "../device/begin-calls.ts";
import type { SyncContext } from "../device/context.ts";
import { endAsFenced } from "../device/end-as-fenced.ts";
import type { Replica } from "../device/replica.ts";
import { callerText, type SessionCaller } from "../device/session-caller.ts";
import { beforeRead, locate } from "../read/before-read.ts";
import { beginLive } from "../replica/out-of-service.ts";
import { abandonSession } from "../turn/abandon.ts";
import { Turn } from "../turn/turn.ts";
import { leaseLostError } from "./renew-write.ts";

export interface BeginWrite {
  readonly repository: string;
  /** The owner of the session: no other caller may renew or land it. */
  readonly caller: SessionCaller;
  readonly author: string;
  readonly reason: string;
  /** How long to wait for the turn. */
  readonly waitMs: number;
  /** The caller chooses it, so that it may repeat a call whose answer was lost. */
  readonly writeId: string;
  /** True: the session works on the files of the replica itself, which serves nobody meanwhile. */
  readonly live?: boolean;
  readonly signal: AbortSignal;
}

export interface BegunWrite {
  readonly writeId: string;
  readonly token: string;
  readonly base: Version;
  readonly expiresAt: Date;
  /** The scratch repository, or the replica. */
  readonly path: string;
}

/**
 * Waits for the repository's turn, brings this replica to the head and makes the scratch repository. If the same caller
 * repeats the call with the same id, it gets the same answer. Throws TURN_HELD, WRITES_STOPPED, and what `beforeRead`
 * throws. Throws WRITES_ELSEWHERE when this device takes no writes. Throws INVALID_REQUEST when the id is that of a
 * write that is over or of another caller.
 */
export async function beginWrite(context: SyncContext, request: BeginWrite): Promise<BegunWrite> {
  const { replica } = await locate(context, request.repository);
  const { writeId } = request;
  const caller = callerText(request.caller);
  return await context.sessions.begins.run(
    `${writeId} ${caller}`,
    async (call) => await begin(context, replica, { ...request, caller }, call),
    async (error, { begun, hadBegun }) => {
      // The ticket and the row belong to another caller, or an earlier call has been answered.
      if (error instanceof IdInUse || hadBegun) return;
      // A caller that was cut off may repeat its call. The session waits for that as long as for a renewal.
      if (begun && request.signal.aborted) return;
      const reason = `its session could not begin: ${describe(error)}`;
      await abandonSession(context, { repositoryId: replica.id, writeId, caller, reason });
    },
  );
}

async function begin(
  context: SyncContext,
  replica: Replica,
  request: Omit<BeginWrite, "caller"> & { caller: string },
  call: BeginCall,
): Promise<BegunWrite> {
  const { repository, writeId, caller, author, reason, signal } = request;
  const clock = new Stopwatch();
  const ticket = { repositoryId: replica.id, writeId, author, reason, caller };
  using turn = new Turn(context, repository, ticket);
  await turn.wait({ patienceMs: request.waitMs, signal });
  await crashPoint("session.turn");
  const { token, tokenHash } = context.sessions.tokens.issue(writeId, caller);
  const begun = await beginSession(context.db, context.me, { ...ticket, tokenHash });
  if (begun.outcome === "elsewhere")
    throw await writesElsewhereError(context.db, { device: context.me.device, repository, noWrites: null });
  if (begun.outcome !== "begun") throw await notBegunError(context, repository, begun);
  if (!begun.again) call.begun = true;
  else if (!call.begun) call.hadBegun = true;
  clock.lap("turnMs");
  await crashPoint("session.begun");
  const path = await context.sessions.exclusively(writeId, () =>
    makePlace(context, replica, { ...request, base: begun.base }, clock),
  );
  await crashPoint("session.scratch");
  const expiresAt = await renewSession(context.db, context.me, writeId);
  if (expiresAt === undefined) throw leaseLostError();
  const { laps, durationMs } = clock;
  context.log.info({ repository, write: writeId, author, reason, ...laps, durationMs }, "session begun");
  return { writeId, token, base: begun.base, expiresAt, path };
}

/** Returns where the caller may write, and makes that place unless an earlier call has made it. */
async function makePlace(
  context: SyncContext,
  replica: Replica,
  { writeId, base, live, author, reason, signal }: Omit<BeginWrite, "caller"> & { base: Version },
  clock: Stopwatch,
): Promise<string> {
  if (replica.outOfService?.writeId === writeId) return replica.gitDir;
  const path = scratchPath(join(context.root, STATE_DIR), writeId);
  if ((await findScratch(context.git, path, context.signal)) !== undefined) return path;
  await beforeRead(context, replica.name, { minVersion: base, signal });
  clock.lap("readMs");
  await replica.mutex.runExclusive(async () => {
    if (replica.applied !== base) throw leaseLostError();
    if (live) await beginLive(context, replica, { writeId, author, reason });
    else await createScratch(context.git, path, replica);
  });
  clock.lap("scratchMs");
  return live ? replica.gitDir : path;
}

async function notBegunError(
  context: SyncContext,
  repository: string,
  begun: Exclude<Begun, { outcome: "begun" | "elsewhere" }>,
): Promise<LockstepError> {
  switch (begun.outcome) {
    case "fenced":
      return endAsFenced(context);
    case "missing":
      return await missingRepositoryError(context.db, repository);
    case "stopped":
      return writesStoppedError(repository, begun.reason);
    case "turn":
      return leaseLostError();
    case "used":
      return new IdInUse();
  }
}
