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

/** Returns the names of a list with commas. */
export function namesOf(list: string): string[] {
  return list.split(",").filter((name) => name !== "");
}
