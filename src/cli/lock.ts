import { type ChildProcess, spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import type { Command } from "commander";
import type { Client } from "../client/client.ts";
import { LockstepError } from "../errors.ts";
import type { BeginWriteResponse__Output as Begun } from "../generated/lockstep/v1/BeginWriteResponse.ts";
import type { Host } from "../host.ts";
import { toDuration } from "../proto.ts";
import { duration, Exit, prepare, type Run, subcommand } from "./command.ts";
import { Progress } from "./progress.ts";

/** A third of the lease of a session. */
const RENEWAL_MS = 5_000;
/** A landing moves objects, and asks as long as the sidecar does when the database does not answer. */
const LANDING_MS = 20 * 60_000;

export function lockCommand(host: Host): Command {
  return subcommand(
    "lock",
    "run a command (or a shell) in a scratch repository while nobody else writes; what it changed lands as one write",
    "lockstep lock team/app --reason 'squash old tags' -- git update-ref -d refs/tags/old",
  )
    .argument("<name>")
    .argument("[command...]", "after --; its exit code 0 lands the changes, any other drops them")
    .option("--reason <text>", "shown to those who wait", "maintenance")
    .option("--wait <seconds>", "how long to wait for those who write now", "30")
    .action(async (name: string, command: string[], flags: Record<string, string>) => {
      const run = prepare(host, "lock", flags);
      const wait = Number(flags.wait);
      if (!(wait >= 0)) throw new LockstepError("USAGE", `--wait is a number of seconds, not ${flags.wait}.`);
      using client = run.connect();
      const begun = await begin(run, client, name, { reason: flags.reason ?? "", waitMs: wait * 1000 });
      const exitCode = await work(run, client, name, begun, command);
      if (exitCode !== 0) return await giveUp(run, client, name, begun, exitCode);
      await land(run, client, name, begun);
    });
}

async function begin(
  run: Run,
  client: Client,
  repository: string,
  { reason, waitMs }: { reason: string; waitMs: number },
): Promise<Begun> {
  using progress = new Progress(run.host.stderr, run.json);
  progress.wait(`waiting for the write turn of ${repository}`);
  const author = run.host.env.SUDO_USER ?? run.host.env.USER ?? "";
  const request = { repository, author, reason, wait: toDuration(waitMs) };
  return await client.call("BeginWrite", request, { timeoutMs: waitMs + 120_000, signal: run.host.stop });
}

/** Runs the command, renewing the lease meanwhile; its exit code. A lease that is lost ends it. */
async function work(
  run: Run,
  client: Client,
  repository: string,
  { token, path, writeId }: Begun,
  command: readonly string[],
): Promise<number> {
  const { host } = run;
  const [program = host.env.SHELL ?? "/bin/sh", ...args] = command;
  if (command.length === 0)
    host.stderr.write(
      `lockstep: this is the scratch repository of ${repository}; exit 0 lands what you change, exit 1 drops it\n`,
    );
  const child = spawn(program, args, {
    cwd: path,
    env: { ...host.env, GIT_DIR: path, LOCKSTEP_WRITE_ID: writeId },
    // With --json standard output is ours.
    stdio: ["inherit", run.json ? 2 : "inherit", "inherit"],
  });
  const ended = new AbortController();
  const lost = keepLease(client, { repository, token }, child, ended.signal);
  const exitCode = await new Promise<number>((resolve, reject) => {
    child.once("error", (cause: Error) =>
      reject(new LockstepError("USAGE", `The command cannot be started: ${cause.message}; nothing was written.`)),
    );
    child.once("close", (code) => resolve(code ?? 1));
  }).finally(() => ended.abort());
  const error = await lost;
  if (error) throw error;
  return host.stop.aborted ? exitCode || 130 : exitCode;
}

async function keepLease(
  client: Client,
  session: { repository: string; token: string },
  child: ChildProcess,
  ended: AbortSignal,
): Promise<unknown> {
  for (;;) {
    await sleep(RENEWAL_MS, undefined, { signal: ended }).catch(() => {});
    if (ended.aborted) return undefined;
    try {
      await client.call("RenewWrite", session, { timeoutMs: RENEWAL_MS });
    } catch (error) {
      // A sidecar that is away for a moment costs nothing: what counts is whether the lease is lost in the end.
      if (!(error instanceof LockstepError && error.code === "WRITE_DROPPED")) continue;
      child.kill("SIGTERM");
      return error;
    }
  }
}

async function giveUp(
  run: Run,
  client: Client,
  repository: string,
  { token }: Begun,
  exitCode: number,
): Promise<never> {
  const reason = `the command ended with ${exitCode}`;
  const { writeId, savedRefs } = await client.call(
    "AbortWrite",
    { repository, token, reason },
    { timeoutMs: LANDING_MS },
  );
  const kept = savedRefs.length > 0 ? `; what it changed is kept in ${savedRefs.join(" ")}` : "";
  run.print(
    { repository, write_id: writeId, landed: false, exit_code: exitCode, saved_refs: savedRefs },
    `The command ended with ${exitCode}, so nothing was written to ${repository}${kept}.`,
  );
  throw new Exit(exitCode);
}

async function land(run: Run, client: Client, repository: string, { token }: Begun): Promise<void> {
  const startedAt = performance.now();
  using progress = new Progress(run.host.stderr, run.json);
  progress.wait("landing the changes");
  const { version, refsChanged, writeId } = await client.call(
    "BumpVersion",
    { repository, token },
    { timeoutMs: LANDING_MS },
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
