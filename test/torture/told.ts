// Reads the outcome of each ref from the output of `git push --porcelain`, and decides which outcomes are proven.
import type { Result, Value } from "./history.ts";

export interface Asked {
  readonly ref: string;
  /** The symbolic ref whose name the push uses instead of `ref`, if any. */
  readonly alias?: string;
  /** The value that the pusher believes the ref to hold. */
  readonly believed: Value;
  /** Whether the push has a lease: it succeeds only if the ref holds `believed`. */
  readonly demanded: boolean;
  readonly new: Value;
}

export interface Told {
  readonly result: Result;
  /** The value before, if git reports it. */
  readonly old?: Value;
  /** The ref did not hold the believed value. */
  readonly mismatch?: true;
}

/** Matches messages of git itself when no server told it an outcome. They prove nothing. */
const NO_PROOF = /remote failed to report status|fail to run proc-receive hook|remote failure/;
/** Matches the words of git's client when it got no list of refs: the server is not there, or has no such repository. */
const NO_ADVERTISEMENT = /^fatal: (unable to access|repository '.*' not found)/m;
/**
 * Matches the refusals of git's client, which compares the server's advertisement with the pusher's values. The
 * server's own refusals compare with its advertisement, which this client does not know.
 */
const MISMATCH = /^\[rejected\] \((stale info|fetch first|non-fast-forward)\)$/;

/** Returns the outcome of a push for one ref. `code` is the exit code of git, or null if git was killed. */
export function toldOf({ ref, alias = ref }: Asked, stdout: string, stderr: string, code: number | null): Told {
  const line = stdout.split("\n").find((each) => each.split("\t")[1]?.endsWith(`:${alias}`));
  // git got no advertisement, so it sent no push.
  if (line === undefined && code !== null && NO_ADVERTISEMENT.test(stderr)) return { result: "failed" };
  if (line === undefined || code === null) return { result: "unknown" };
  const [flag, , summary = ""] = line.split("\t");
  if (flag === "!") {
    if (NO_PROOF.test(summary) || !/^\[(remote )?rejected\]/.test(summary)) return { result: "unknown" };
    return MISMATCH.test(summary) ? { result: "failed", mismatch: true } : { result: "failed" };
  }
  // A line of success is no proof if git as a whole missed the end of the answer.
  if (code !== 0 && /hung up|RPC failed|^fatal:/m.test(stderr)) return { result: "unknown" };
  const old = oldIn(flag, summary);
  return old === undefined ? { result: "ok" } : { result: "ok", old };
}

/**
 * Returns the old value from a summary: ` ` old..new, `+` old...new (forced update), `*` [new branch]. With
 * core.abbrev=no the ids are whole.
 */
function oldIn(flag: string | undefined, summary: string): Value | undefined {
  if (flag === "*") return null;
  return /^([0-9a-f]{40,64})\.\.\.?[0-9a-f]/.exec(summary)?.[1];
}
