// The flags of `lockstep ca` for the kind of a key and for the term of a certificate.
import type { KeyType } from "../../ca/keys.ts";
import { LockstepError } from "../../errors.ts";

export const AUTHORITY_DAYS = "3650";
export const DAYS = "90";
const KEY_TYPES = ["p256", "ed25519"] as const;
/** The flag for the kind of a new key. */
export const KEY_TYPE = ["--key-type <TYPE>", "kind of the new key: p256 or ed25519", "p256"] as const;

/** Returns the kind of key that a flag names. Throws USAGE. */
export function keyTypeOf(text: string): KeyType {
  const found = KEY_TYPES.find((each) => each === text);
  if (found !== undefined) return found;
  throw new LockstepError("USAGE", `--key-type must be p256 or ed25519, not ${JSON.stringify(text)}.`);
}

/** More than this is most likely a mistake, and X.509 ends at the year 9999. */
const MOST_SECONDS = 1_000_000_000;

/** Returns the term in days of --days or --seconds. Throws USAGE. */
export function termOf({ days, seconds }: { days?: string; seconds?: string }): number {
  if (days !== undefined && seconds !== undefined)
    throw new LockstepError("USAGE", "--days and --seconds exclude each other; give one of them.");
  // A certificate ends at a whole second. Rounded down, one for two seconds would be half over at once.
  return seconds === undefined ? daysOf(days ?? DAYS) : (positive("--seconds", seconds, MOST_SECONDS) + 1) / 86_400;
}

/** Returns the days of a flag, up to a hundred years. Throws USAGE. */
export function daysOf(text: string, flag = "--days"): number {
  return positive(flag, text, 36_500);
}

function positive(flag: string, text: string, most: number): number {
  const number = /^\d{1,10}$/.test(text) ? Number(text) : 0;
  if (number > 0 && number <= most) return number;
  throw new LockstepError("USAGE", `${flag} must be a whole number above 0, not ${JSON.stringify(text)}.`);
}
