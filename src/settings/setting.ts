import type { Check } from "./setting-checks.ts";

/** One setting: a flag and an environment variable. */
export interface Setting {
  readonly check: Check;
  /** Empty: the flag has no value, and the variable is 1 or 0. */
  readonly value: string;
  readonly default?: string;
  readonly help: string;
  /** The commands that take this setting. */
  readonly commands: readonly string[];
}
