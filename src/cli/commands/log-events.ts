// `lockstep log --pushes`, `--pulls` and `--syncs`: who pushed, who read, and how devices caught up.
import { LockstepError } from "../../errors.ts";
import type { LogFilter } from "../../generated/lockstep/v1/LogFilter.ts";
import { toTimestamp } from "../../protocol/times.ts";
import type { Run } from "../terminal/command.ts";
import { limitOf, timeOf } from "../terminal/flag-values.ts";
import { pullDocument, pullText, pushDocument, pushText, syncDocument, syncText } from "../text/log-events.ts";

/** The flags that choose rows. */
export interface EventFlags {
  readonly pushes?: boolean;
  readonly pulls?: boolean;
  readonly syncs?: boolean;
  readonly device?: string;
  readonly since?: string;
  readonly until?: string;
  readonly author?: string;
  readonly result?: string;
  readonly ref?: string;
  readonly limit?: string;
}

const LOGS = ["pushes", "pulls", "syncs"] as const;
const FILTERS = ["device", "since", "until", "author", "result", "ref"] as const;
/** Of some logs the rows have no such column. */
const LACKING: Readonly<Record<(typeof LOGS)[number], readonly string[]>> = {
  pushes: [],
  pulls: ["ref"],
  syncs: ["author", "ref"],
};

/** Returns the log that the flags name; undefined: the ref log. Throws USAGE for flags that do not fit together. */
export function logOf(flags: EventFlags): (typeof LOGS)[number] | undefined {
  const [log, ...others] = LOGS.filter((name) => flags[name]);
  if (others.length > 0) throw new LockstepError("USAGE", `--${log} and --${others[0]} are two logs; name one.`);
  const lacking = log === undefined ? FILTERS : LACKING[log];
  const wrong = lacking.find((name) => flags[name as (typeof FILTERS)[number]] !== undefined);
  if (wrong === undefined) return log;
  const where = log === undefined ? "Give --pushes, --pulls or --syncs with" : "Leave out";
  throw new LockstepError(
    "USAGE",
    `${where} --${wrong}: ${log === undefined ? "the ref log" : `--${log}`} has no such filter.`,
  );
}

/** Prints rows of a log, of one repository or of all. */
export async function printEvents(
  run: Run,
  log: (typeof LOGS)[number],
  repository: string | undefined,
  flags: EventFlags,
): Promise<void> {
  const time = (flag: "since" | "until") => {
    const text = flags[flag];
    return text === undefined ? null : toTimestamp(timeOf(`--${flag}`, text));
  };
  const filter: LogFilter = {
    repository: repository ?? "",
    device: flags.device ?? "",
    since: time("since"),
    until: time("until"),
    author: flags.author ?? "",
    result: flags.result ?? "",
    ref: flags.ref ?? "",
    limit: limitOf(flags.limit, "read further rows with --until"),
  };
  using client = await run.connect();
  if (log === "pushes") {
    const { pushes } = await client.call("ListPushes", { filter }, run.patience);
    run.print({ pushes: pushes.map(pushDocument) }, textOf(pushes.map(pushText), "No push"));
  } else if (log === "pulls") {
    const { pulls } = await client.call("ListPulls", { filter }, run.patience);
    run.print({ pulls: pulls.map(pullDocument) }, textOf(pulls.map(pullText), "No read"));
  } else {
    const { syncs } = await client.call("ListSyncs", { filter }, run.patience);
    run.print({ syncs: syncs.map(syncDocument) }, textOf(syncs.map(syncText), "No catch-up"));
  }
}

function textOf(rows: readonly string[], none: string): string {
  return rows.length === 0 ? `${none} like that is in the log.` : rows.join("\n");
}
