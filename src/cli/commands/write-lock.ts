import type { Command } from "commander";
import type { Client } from "../../client/client.ts";
import { describe, LockstepError } from "../../errors.ts";
import type { StopWritesProgress__Output as WritesWaitedFor } from "../../generated/lockstep/v1/StopWritesProgress.ts";
import type { Write__Output as Write } from "../../generated/lockstep/v1/Write.ts";
import type { WriteLock__Output as WriteLock } from "../../generated/lockstep/v1/WriteLock.ts";
import type { Host } from "../../host.ts";
import { visible } from "../../io/visible.ts";
import { toDuration } from "../../protocol/times.ts";
import { authorOf, prepare, type Run, subcommand } from "../terminal/command.ts";
import { Progress } from "../terminal/progress.ts";
import { instant, lasting } from "../text/times.ts";

/** Makes the command `lockstep write-lock`. */
export function writeLockCommand(host: Host): Command {
  return subcommand(
    "write-lock",
    "stop writes for maintenance: refuse new ones with a reason, wait for those under way; later allow them again",
    "lockstep write-lock --enable --reason 'PostgreSQL upgrade until 14:00 UTC'",
  )
    .argument("[names...]", "repositories; none: all there are and will be")
    .option("--enable", "stop writes, or go on waiting for the writes under way")
    .option("--disable", "allow writes again")
    .option("--reason <text>", "text shown to everyone whose write is refused")
    .option("--wait <seconds>", "how long to wait for writes under way", "60")
    .action(async (names: string[], flags: Record<string, string | boolean>) => {
      const run = prepare(host, "write-lock", flags);
      if (flags.enable === flags.disable) throw usageError("Give one of --enable and --disable.");
      using client = await run.connect();
      if (flags.disable) return await allow(run, client, names);
      const { reason, wait } = { reason: String(flags.reason ?? "").trim(), wait: Number(flags.wait) };
      if (reason === "") throw usageError("--enable needs --reason; a refused writer reads it.");
      if (!(wait >= 0)) throw usageError(`--wait is a number of seconds, not ${flags.wait}.`);
      await stop(run, client, names, { reason, waitMs: wait * 1000 });
    });
}

async function stop(
  run: Run,
  client: Client,
  names: readonly string[],
  { reason, waitMs }: { reason: string; waitMs: number },
): Promise<void> {
  using progress = new Progress(run.host.stderr, run.json);
  progress.wait("asking the sidecar");
  const request = { repositories: [...names], reason, author: authorOf(run.host), wait: toDuration(waitMs) };
  let dropped: Write[] | undefined;
  let begun = false;
  try {
    for await (const event of client.stream("StopWrites", request, run.host.stop)) {
      begun = true;
      dropped = event.result?.dropped;
      if (event.progress) progress.wait(describeWaiting(event.progress));
    }
  } catch (error) {
    throw begun || run.host.stop.aborted ? endedEarly(run, names, error) : error;
  }
  progress.stop();
  if (dropped === undefined)
    throw new LockstepError("INTERNAL", "The sidecar ended the stream without a result; see its log.");
  const lines = dropped.map(
    (write) => `Dropped, because no sidecar could decide it any more: ${describeWrite(write)}.`,
  );
  run.print(
    { repositories: names, enabled: true, reason, dropped: dropped.map(documentOfWrite) },
    [`Writes to ${describeNames(names)} are stopped, and none is under way any more; ${remedy(names)}.`, ...lines].join(
      "\n",
    ),
  );
}

/**
 * Returns the error of a wait that ended early. It says that writes stay stopped, because the operator may forget that.
 */
function endedEarly({ host }: Run, names: readonly string[], error: unknown): unknown {
  if (error instanceof LockstepError && error.code.startsWith("WRITES_")) return error;
  const why = host.stop.aborted ? "interrupted" : describe(error).replace(/\.$/, "");
  return new LockstepError(
    "WRITES_UNDER_WAY",
    `The wait for writes under way ended early (${why}): writes to ${describeNames(names)} stay stopped. Earlier writes ` +
      `may still land. Run the command again to go on waiting, ${remedy(names)}.`,
    { cause: error },
  );
}

async function allow(run: Run, client: Client, names: readonly string[]): Promise<void> {
  const request = { repositories: [...names], author: authorOf(run.host) };
  const { remaining } = await client.call("AllowWrites", request, run.patience);
  const still = remaining.map((stop) => `Still stopped: writes to ${describeStop(stop)}.`);
  run.print(
    { repositories: names, enabled: false, remaining: remaining.map(documentOfStop) },
    [`Writes to ${describeNames(names)} are no longer stopped.`, ...still].join("\n"),
  );
}

/** Returns a write lock as --json prints it. */
export function documentOfStop({ repository, reason, author, since, closed }: WriteLock) {
  return { repository: repository || null, reason, author, since: instant(since), closed };
}

/** Returns where writes are stopped, by whom, since when and why, as text. */
export function describeStop({ repository, reason, author, since, closed }: WriteLock): string {
  const underWay = closed ? "" : "; some may still be under way";
  return `${repository || "all repositories"}, by ${visible(author)} for ${lasting(since)} (${visible(reason)})${underWay}`;
}

function documentOfWrite({ writeId, repository, device, author, reason, startedAt }: Write) {
  return { write_id: writeId, repository, device, author, reason, started_at: instant(startedAt) };
}

function describeWaiting({ waitingFor: [oldest, ...others], more }: WritesWaitedFor): string {
  if (oldest === undefined) return "making sure that nothing is under way any more";
  const rest = others.length + more;
  return `waiting for ${describeWrite(oldest)}${rest > 0 ? `, and ${rest} more` : ""}`;
}

function describeWrite({ writeId, repository, device, author, reason, startedAt }: Write): string {
  const what = reason === "" ? "" : ` (${visible(reason)})`;
  return `${writeId} in ${repository} by ${visible(author)} on ${device} for ${lasting(startedAt)}${what}`;
}

function describeNames(names: readonly string[]): string {
  return names.length === 0 ? "all repositories" : names.join(", ");
}

function remedy(names: readonly string[]): string {
  return `\`${["lockstep write-lock --disable", ...names].join(" ")}\` allows them again`;
}

function usageError(sentence: string): LockstepError {
  return new LockstepError("USAGE", sentence);
}
