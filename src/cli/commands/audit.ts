// `lockstep audit`: what operators did, which credentials were refused, and whether somebody has changed that record.
import type { Command } from "commander";
import { ExitCode, LockstepError } from "../../errors.ts";
import type { AuditEntry__Output as Entry } from "../../generated/lockstep/v1/AuditEntry.ts";
import type { Host } from "../../host.ts";
import { toTimestamp } from "../../protocol/times.ts";
import { Exit, prepare, type Run, subcommand } from "../terminal/command.ts";
import { timeOf } from "../terminal/flag-values.ts";
import { showWhile } from "../terminal/progress.ts";
import { table } from "../terminal/styled.ts";
import { instant, moment } from "../text/times.ts";

const LAST = 100;
const PAGE = 1_000;
/** To read the whole chain of a large audit takes longer than other answers. */
const VERIFY_MS = 600_000;

interface Flags {
  readonly verify?: boolean;
  readonly through?: string;
  readonly since?: string;
}

/** Makes the command `lockstep audit`. */
export function auditCommand(host: Host): Command {
  return subcommand(
    "audit",
    `show what operators did and which credentials were refused, the last ${LAST} rows or those since a time`,
    "lockstep audit --since 24h",
  )
    .option("--since <TIME>", "from then on: 90m, 24h, 7d ago, or a time such as 2027-01-31T12:00Z")
    .option("--verify", "check that no row was changed or removed")
    .option("--through <END>", "with --verify: the chain must go through this end, which an earlier --verify printed")
    .action(async (flags: Flags) => {
      const run = prepare(host, "audit", flags as Record<string, unknown>);
      if (flags.verify) return await verify(run, flags.through ?? "");
      if (flags.through !== undefined) throw new LockstepError("USAGE", "--through needs --verify.");
      const entries = await (flags.since === undefined
        ? lastEntries(run)
        : entriesSince(run, timeOf("--since", flags.since)));
      run.print({ entries: entries.map(documentOf) }, describe(entries));
    });
}

async function lastEntries(run: Run): Promise<Entry[]> {
  using client = await run.connect();
  return (await client.call("ListAudit", { limit: LAST, newest: true }, run.patience)).entries;
}

async function entriesSince(run: Run, since: Date): Promise<Entry[]> {
  using client = await run.connect();
  const found: Entry[] = [];
  for (;;) {
    const after = found.at(-1)?.id ?? "0";
    const { entries } = await client.call("ListAudit", { after, since: toTimestamp(since), limit: PAGE }, run.patience);
    found.push(...entries);
    if (entries.length < PAGE) return found;
  }
}

async function verify(run: Run, through: string): Promise<void> {
  using client = await run.connect();
  const asked = client.call("VerifyAudit", { through }, { ...run.patience, timeoutMs: VERIFY_MS });
  const answer = await showWhile(run, "reading the whole audit", asked);
  const { rows, first, last, end, problem } = answer;
  const document = { verified: problem === "", rows: Number(rows), first: Number(first), last: Number(last), end };
  const whole = `The audit is whole: ${rows} rows, ${first} to ${last}. Its end is ${end}; note it elsewhere, for --through.`;
  run.print({ ...document, problem: problem || null }, problem || whole);
  if (problem !== "") throw new Exit(ExitCode.FAILED);
}

function documentOf({ id, at, author, action, repository, device, result, detail }: Entry) {
  return {
    id: Number(id),
    at: instant(at),
    ...{ author, action },
    repository: repository || null,
    device: device || null,
    result,
    detail: JSON.parse(detail),
  };
}

function describe(entries: readonly Entry[]): string {
  if (entries.length === 0) return "Nothing is in the audit for that time.";
  const rows = entries.map(({ id, at, author, action, repository, device, result, detail }) => [
    id,
    moment(at),
    author,
    action,
    [repository, device].filter(Boolean).join(" on "),
    result,
    detail === "{}" ? "" : detail,
  ]);
  return table(["row", "at", "by", "what", "of", "result", "detail"], rows);
}
