// What `git push --porcelain` told its user about each ref, and how much of it is proof.
import type { Result, Value } from "./history.ts";

export interface Asked {
  readonly ref: string;
  /** The name that it is pushed by, if that is another one. */
  readonly alias?: string;
  /** What the pusher takes the ref to hold. */
  readonly believed: Value;
  /** Pushed with a lease: only where the ref holds that. */
  readonly demanded: boolean;
  readonly new: Value;
}

export interface Told {
  readonly result: Result;
  /** What the ref held before, where git says so. */
  readonly old?: Value;
  /** The ref did not hold what was believed. */
  readonly mismatch?: true;
}

/** git says these itself where nobody told it an outcome. */
const NO_PROOF = /remote failed to report status|fail to run proc-receive hook|remote failure/;
/**
 * The refusals of git's client, which compares what the server advertises with what the pusher has. The server's own compare with
 * what it has advertised, which nobody here knows.
 */
const MISMATCH = /^\[rejected\] \((stale info|fetch first|non-fast-forward)\)$/;

/** The outcome of a push for one ref. `code` is git's exit code, null where it was killed. */
export function toldOf({ ref, alias = ref }: Asked, stdout: string, stderr: string, code: number | null): Told {
  const line = stdout.split("\n").find((each) => each.split("\t")[1]?.endsWith(`:${alias}`));
  // git did not come as far as sending anything: no advertisement, no push.
  if (line === undefined && code !== null && /^fatal: unable to access/m.test(stderr)) return { result: "failed" };
  if (line === undefined || code === null) return { result: "unknown" };
  const [flag, , summary = ""] = line.split("\t");
  if (flag === "!") {
    if (NO_PROOF.test(summary) || !/^\[(remote )?rejected\]/.test(summary)) return { result: "unknown" };
    return MISMATCH.test(summary) ? { result: "failed", mismatch: true } : { result: "failed" };
  }
  // Only git as a whole knows whether it has heard the end of the answer.
  if (code !== 0 && /hung up|RPC failed|^fatal:/m.test(stderr)) return { result: "unknown" };
  const old = oldIn(flag, summary);
  return old === undefined ? { result: "ok" } : { result: "ok", old };
}

/** ` ` old..new, `+` old...new (forced update), `*` [new branch]; ids are whole with core.abbrev=no. */
function oldIn(flag: string | undefined, summary: string): Value | undefined {
  if (flag === "*") return null;
  return /^([0-9a-f]{40,64})\.\.\.?[0-9a-f]/.exec(summary)?.[1];
}
