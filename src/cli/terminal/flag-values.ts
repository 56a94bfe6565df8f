// Reads the values of flags that are numbers, spans of time or lists. Each throws USAGE with the name of the flag.
import { LockstepError } from "../../errors.ts";

/** Returns the number of a flag, from 0 to `most`. */
export function numberOf(flag: string, text: string | undefined, most?: number): number {
  if (text !== undefined && /^\d{1,15}$/.test(text) && Number(text) <= (most ?? Number.MAX_SAFE_INTEGER))
    return Number(text);
  const range = most === undefined ? "" : ` from 0 to ${most}`;
  throw new LockstepError("USAGE", `${flag} must be a number${range}, not ${JSON.stringify(text?.slice(0, 40))}.`);
}

/** Returns how many rows a list is to show. `remedy`: what to do for more of them. */
export function limitOf(text: string | undefined, remedy: string): number {
  const limit = numberOf("--limit", text);
  if (limit >= 1 && limit <= 1_000) return limit;
  throw new LockstepError("USAGE", `--limit is from 1 to 1000, not ${limit}; ${remedy}.`);
}

const UNITS_MS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Returns the milliseconds of a span such as 90s, 30m, 6h or 7d. undefined: it is none. */
export function spanMs(text: string): number | undefined {
  const [, count, unit] = /^(\d{1,7})([smhd])$/.exec(text) ?? [];
  return count === undefined ? undefined : Number(count) * UNITS_MS[unit as keyof typeof UNITS_MS];
}

/** Returns the time that a flag means: so long ago, or a date with or without a time. */
export function timeOf(flag: string, text: string): Date {
  const span = spanMs(text);
  if (span !== undefined) return new Date(Math.max(0, Date.now() - span));
  const time = new Date(text);
  if (/^\d{4}-/.test(text) && !Number.isNaN(time.getTime())) return time;
  throw new LockstepError(
    "USAGE",
    `${flag} must be such as 24h or 2027-01-31T12:00Z, not ${JSON.stringify(text.slice(0, 40))}.`,
  );
}

/** Returns the names of a list with commas. */
export function namesOf(list: string): string[] {
  return list.split(",").filter((name) => name !== "");
}
