import { copyFile, writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { replicationMissing } from "../support/postgres-servers.ts";
import { verdictsOf } from "./checks/all.ts";
import { EVERY } from "./fault-schedule.ts";
import { type History, toJsonLines } from "./history.ts";
import type { Recorder } from "./recorder.ts";
import { reportOf } from "./report.ts";
import { torture } from "./torture.ts";

const USAGE =
  "npm run torture -- --seconds N | --minutes N [--seed S] [--operations N] [--devices N] [--min-copies N] [--pushers N] [--faults REGEX] [--every OPERATIONS] [--json-lines FILE]";
const LOG_EVERY_S = 30;
const LARGEST_SEED = 1_000_000_000;

/**
 * Runs the torture with these arguments. Returns the exit code: 0 all checks passed, 1 a check failed, 2 wrong usage.
 */
export async function main(args: string[]): Promise<number> {
  const options = readArguments(args);
  if (options === undefined) {
    console.error(`usage: ${USAGE}`);
    return 2;
  }
  const { seed, jsonLines } = options;
  const interrupted = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => interrupted.abort());
  console.log(`seed ${seed}`);
  const history = await torture({
    ...options,
    arguments: args,
    env: { LOCKSTEP_LOG_LEVEL: process.env.LOCKSTEP_LOG_LEVEL ?? "info" },
    signal: interrupted.signal,
    onProgress: showProgress,
    ...(jsonLines !== undefined && { onEnd: (records, logs) => keep(jsonLines, records, logs) }),
  });
  const missing = replicationMissing();
  if (missing) console.log(`The database has no standby: ${missing}`);
  const { text, ok } = reportOf(history, verdictsOf(history));
  console.log(
    `${text}\nagain: npm run torture -- ${args.includes("--seed") ? "" : `--seed ${seed} `}${args.join(" ")}`,
  );
  return ok ? 0 : 1;
}

function readArguments(args: string[]) {
  try {
    const { values } = parseArgs({
      args,
      options: {
        seconds: { type: "string", default: "0" },
        minutes: { type: "string", default: "0" },
        seed: { type: "string", default: String(Math.floor(Math.random() * LARGEST_SEED)) },
        operations: { type: "string", default: String(Number.MAX_SAFE_INTEGER) },
        devices: { type: "string", default: "3" },
        "min-copies": { type: "string", default: "1" },
        pushers: { type: "string" },
        faults: { type: "string", default: "" },
        every: { type: "string", default: String(EVERY) },
        "json-lines": { type: "string" },
      },
    });
    const numbers = {
      seconds: Number(values.seconds) + 60 * Number(values.minutes),
      seed: Number(values.seed),
      operations: Number(values.operations),
      devices: Number(values.devices),
      minCopies: Number(values["min-copies"]),
      every: Number(values.every),
      ...(values.pushers !== undefined && { pushers: Number(values.pushers) }),
    };
    if (!Object.values(numbers).every((each) => Number.isFinite(each) && each >= 0)) return undefined;
    if (numbers.seconds === 0 || numbers.devices < 2 || numbers.every < 1) return undefined;
    if (numbers.pushers !== undefined && numbers.pushers < 1) return undefined;
    return { ...numbers, faults: new RegExp(values.faults), jsonLines: values["json-lines"] };
  } catch {
    return undefined;
  }
}

/** Writes the history into a file, and copies the logs of the sidecars beside it. */
async function keep(file: string, history: History, logs: ReadonlyMap<string, string>): Promise<void> {
  await writeFile(file, toJsonLines(history));
  for (const [device, log] of logs) await copyFile(log, `${file}.${device}.log`);
}

/** Prints the progress: on a terminal every second, else every half a minute. */
function showProgress(recorder: Recorder): void {
  const { operations, faults } = recorder;
  const seconds = Math.round(recorder.now() / 1000);
  const line = `${seconds} s: ${operations} operations, ${faults} faults`;
  if (process.stderr.isTTY) process.stderr.write(`\r${line}  `);
  else if (seconds % LOG_EVERY_S === 0) process.stderr.write(`${line}\n`);
}
