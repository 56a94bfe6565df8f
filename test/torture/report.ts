// Formats the result of a run for people.
import { verdictsOf } from "./checks/all.ts";
import type { Verdict, Violation } from "./checks/verdict.ts";
import { type History, type HistoryRecord, type Operation, type Result, recordsOf } from "./history.ts";

const SHOWN = 5;
/** Matches the outcomes of faults that had no effect. */
const NOTHING = /^(no |nobody|not possible|failed|0 )|was locked$/;

export interface Report {
  readonly text: string;
  readonly ok: boolean;
}

/**
 * Reports counts and the verdict of each check. For a failed check it lists the operations that show the failure. A
 * check that looked at nothing fails.
 */
export function reportOf(history: History, verdicts: readonly Verdict[] = verdictsOf(history)): Report {
  const failed = verdicts.filter(({ looked, violations }) => looked === 0 || violations.length > 0);
  const lines = [
    ...operationCounts(recordsOf(history, "operation")),
    ...faultCounts(history),
    ...endings(history),
    ...verdicts.flatMap((verdict) => linesOf(verdict, history)),
    failed.length === 0 ? "All checks passed." : `FAILED: ${failed.map(({ check }) => check).join(", ")}.`,
  ];
  return { text: lines.join("\n"), ok: failed.length === 0 };
}

function operationCounts(operations: readonly Operation[]): string[] {
  const kinds = [...new Set(operations.map(({ operation }) => operation))].toSorted();
  const count = (result: Result, kind?: string) =>
    operations.filter((each) => each.result === result && (kind === undefined || each.operation === kind)).length;
  const row = (name: string, kind?: string) => {
    const cells = (["ok", "failed", "unknown"] as const).map((result) => String(count(result, kind)).padStart(9));
    return `  ${name.padEnd(12)}${cells.join("")}`;
  };
  const pushes = operations.filter(({ changes }) => changes !== undefined);
  const share = (100 * count("unknown")) / Math.max(1, pushes.length);
  const last = operations.at(-1)?.returned ?? 0;
  return [
    `  ${"".padEnd(12)}       ok   failed  unknown`,
    ...kinds.map((kind) => row(kind, kind)),
    row("all"),
    `${operations.length} operations in ${Math.round(last / 1000)} s (${(operations.length / (last / 1000)).toFixed(1)}/s); ` +
      `${share.toFixed(1)} % of ${pushes.length} pushes came to an unknown end`,
  ];
}

function faultCounts(history: History): string[] {
  const faults = recordsOf(history, "fault");
  const kinds = [...new Set(faults.map(({ kind }) => kind))].toSorted();
  const counts = kinds.map((kind) => `${kind} ${faults.filter((each) => each.kind === kind).length}`);
  const idle = faults.filter(({ outcome }) => NOTHING.test(outcome)).length;
  return [`${faults.length} faults, ${idle} of which found nothing to act on: ${counts.join(", ")}`];
}

function endings(history: History): string[] {
  const found = recordsOf(history, "ending").map(({ device, how }) => `${device} with ${how}`);
  return found.length === 0 ? [] : [`sidecars that ended by themselves: ${found.join(", ")}`];
}

function linesOf({ check, looked, violations }: Verdict, history: History): string[] {
  const good = violations.length === 0 && looked > 0;
  const verdict = good ? "ok" : violations.length > 0 ? `${violations.length} VIOLATIONS` : "LOOKED AT NOTHING";
  return [
    `${verdict === "ok" ? "✓" : "✗"} ${check}: ${verdict} (${looked} looked at)`,
    ...violations.slice(0, SHOWN).flatMap((violation) => excerpt(violation, history)),
    ...(violations.length > SHOWN ? [`    … and ${violations.length - SHOWN} more`] : []),
  ];
}

function excerpt({ what, operations }: Violation, history: History): string[] {
  const shown = recordsOf(history, "operation").filter(({ id }) => operations.includes(id));
  return [`    ${what}`, ...shown.map((operation) => `      ${shortened(operation)}`)];
}

/** Returns an operation as JSON, cut after 900 characters, because a read may have many refs. */
function shortened(operation: HistoryRecord): string {
  const text = JSON.stringify(operation);
  return text.length > 900 ? `${text.slice(0, 900)}…` : text;
}
