import type { Command } from "commander";
import pRetry from "p-retry";
import type { Client } from "../../client/client.ts";
import { TEXT_LIMIT } from "../../domain.ts";
import { describe, LockstepError, retryAfterMs } from "../../errors.ts";
import type { BeginWriteRequest } from "../../generated/lockstep/v1/BeginWriteRequest.ts";
import type { BeginWriteResponse__Output as Begun } from "../../generated/lockstep/v1/BeginWriteResponse.ts";
import type { Host } from "../../host.ts";
import { visible } from "../../io/visible.ts";
import { toDuration, toMs } from "../../protocol/times.ts";
import { runLeased } from "../parts/leased-command.ts";
import { authorOf, duration, Exit, prepare, type Run, subcommand } from "../terminal/command.ts";
import { Progress } from "../terminal/progress.ts";

/** A session gets its turn and then catches up, which takes this long at most. */
const CATCH_UP_MS = 120_000;
/**
 * A landing moves objects. While the database does not answer, it waits as long as the sidecar asks for the outcome.
 */
const LANDING_MS = 20 * 60_000;
/** If the sidecar was away for a moment, the same call again says whether the write landed. */
const ASK_AGAIN = { retries: 30, minTimeout: 1_000, factor: 1 };

interface Flags {
  readonly reason: string;
  readonly wait: string;
  readonly live?: boolean;
  readonly end?: string;
  readonly [name: string]: unknown;
}

/** One session, with the client and the repository that it began with. */
interface HeldSession {
  readonly run: Run;
  readonly client: Client;
  readonly repository: string;
  readonly begun: Begun;
}

/** Makes the command `lockstep lock`. */
export function lockCommand(host: Host): Command {
  return subcommand(
    "lock",
    "run a command (or a shell) in a scratch repository while nobody else writes; its changes land as one write",
    "lockstep lock team/app --reason 'squash old tags' -- git update-ref -d refs/tags/old",
  )
    .argument("<name>")
    .argument("[command...]", "after --; its exit code 0 lands the changes, any other drops them")
    .option("--live", "work on the files of this device's replica itself, which serves nobody meanwhile")
    .option(
      "--end <write>",
      "instead: drop the session with that write id, of any caller; `repo show --json` tells the id",
    )
    .option(
      "--reason <text>",
      "text shown to everyone who waits; with --end, to the caller that began the session",
      "maintenance",
    )
    .option("--wait <seconds>", "how long to wait for the writers before this one", "30")
    .action(async (repository: string, command: string[], flags: Flags) => {
      const run = prepare(host, "lock", flags);
      const wait = Number(flags.wait);
      if (!(wait >= 0)) throw new LockstepError("USAGE", `--wait is a number of seconds, not ${flags.wait}.`);
      using client = await run.connect();
      if (flags.end !== undefined) return await end(run, client, { repository, writeId: flags.end, ...flags }, command);
      const live = flags.live === true;
      const begun = await begin(run, client, { repository, reason: flags.reason, live, wait: toDuration(wait * 1000) });
      const held = { run, client, repository, begun };
      if (command.length === 0)
        host.stderr.write(
          `lockstep: this is the ${live ? "replica" : "scratch repository"} of ${repository}; exit 0 lands what you change, exit 1 drops it\n`,
        );
      const failed = async (error: unknown) => {
        throw await sayWhatIsKept(held, error);
      };
      const exitCode = await runLeased(run, client, { ...begun, repository, live }, command).catch(failed);
      if (exitCode !== 0) return await giveUp(held, exitCode);
      await land(held).catch(failed);
    });
}

/** Drops the session with `writeId`, also one that another caller began. */
async function end(
  run: Run,
  client: Client,
  { repository, writeId, reason, live }: { repository: string; writeId: string; reason: string; live?: boolean },
  command: readonly string[],
): Promise<void> {
  if (command.length > 0 || live === true)
    throw new LockstepError("USAGE", "--end drops a session and begins none; leave the command and --live out.");
  const { savedRefs } = await client.call("AbortWrite", { repository, writeId, reason }, { timeoutMs: LANDING_MS });
  run.print(
    { repository, write_id: writeId, landed: false, saved_refs: savedRefs },
    `The session ${writeId} of ${repository} was dropped${kept(savedRefs)}.`,
  );
}

async function begin(run: Run, client: Client, asked: BeginWriteRequest): Promise<Begun> {
  using progress = new Progress(run.host.stderr, run.json);
  progress.wait(`waiting for the write turn of ${asked.repository}`);
  const author = authorOf(run.host);
  const timeoutMs = (toMs(asked.wait as never) ?? 0) + CATCH_UP_MS;
  return await client.call("BeginWrite", { ...asked, author }, { timeoutMs, signal: run.host.stop });
}

/**
 * Drops the session unless it is over. Returns the names of the refs that keep its changes. Throws WRITE_DROPPED if
 * the session landed.
 */
async function abort({ client, repository, begun }: HeldSession, reason: string): Promise<string[]> {
  const request = { repository, token: begun.token, reason: reason.slice(0, TEXT_LIMIT) };
  return (await client.call("AbortWrite", request, { timeoutMs: LANDING_MS })).savedRefs;
}

async function giveUp(held: HeldSession, exitCode: number): Promise<never> {
  const { run, repository, begun } = held;
  const savedRefs = await abort(held, `the command ended with ${exitCode}`);
  run.print(
    { repository, write_id: begun.writeId, landed: false, exit_code: exitCode, saved_refs: savedRefs },
    `The command ended with ${exitCode}, so nothing was written to ${repository}${kept(savedRefs)}.`,
  );
  throw new Exit(exitCode);
}

/**
 * Returns the error to report. If it is unknown whether the write landed, that is `error` itself. Else drops the
 * session, and names in the error the refs that keep its changes.
 */
async function sayWhatIsKept(held: HeldSession, error: unknown): Promise<unknown> {
  const known = error instanceof LockstepError;
  if (known && error.code !== "WRITE_DROPPED" && error.code !== "USAGE") return error;
  const savedRefs = await abort(held, describe(error)).catch(() => []);
  if (!known || savedRefs.length === 0) return error;
  return new LockstepError(error.code, `${error.message.replace(/\.$/, "")}${kept(savedRefs)}.`, {
    cause: error,
    details: { ...error.details, saved_refs: savedRefs.join(" ") },
  });
}

function kept(savedRefs: readonly string[]): string {
  return savedRefs.length > 0 ? `; what it changed is kept in ${savedRefs.map(visible).join(" ")}` : "";
}

async function land({ run, client, repository, begun }: HeldSession): Promise<void> {
  const startedAt = performance.now();
  using progress = new Progress(run.host.stderr, run.json);
  progress.wait("landing the changes");
  const { version, refsChanged, writeId } = await pRetry(
    () => client.call("BumpVersion", { repository, token: begun.token }, { timeoutMs: LANDING_MS }),
    {
      ...ASK_AGAIN,
      shouldRetry: ({ error }) => error instanceof LockstepError && retryAfterMs(error.code) !== undefined,
    },
  );
  progress.stop();
  const taken = duration(performance.now() - startedAt);
  run.print(
    { repository, write_id: writeId, landed: true, version: Number(version), refs_changed: refsChanged },
    refsChanged === 0
      ? `Nothing was changed; ${repository} stays at version ${version}.`
      : `${repository} is at version ${version}: ${refsChanged} ${refsChanged === 1 ? "ref" : "refs"} changed (${taken}).`,
  );
}
