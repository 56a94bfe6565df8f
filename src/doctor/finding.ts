// The result of one check of the doctor. A check looks at one prerequisite of `serve` and leaves no change behind.

import { describe } from "../errors.ts";
import type { Host } from "../host.ts";
import type { Config } from "../settings/config.ts";

/**
 * The result of a look. A string describes a prerequisite that is in order. A warning or `missing` is a sentence with
 * a remedy; with `missing`, `serve` would not start or not work.
 */
export type Verdict = string | { readonly warning: string } | { readonly missing: string };

/** A function that looks at one prerequisite. An error that it throws counts as `missing`. */
export type Look = (config: Config, host: Host) => Promise<Verdict>;

export interface Finding {
  readonly check: string;
  readonly state: "ok" | "warning" | "missing";
  readonly said: string;
}

/** Runs `look` and returns its finding, also when it throws. */
export async function find(check: string, look: () => Promise<Verdict>): Promise<Finding> {
  try {
    const verdict = await look();
    if (typeof verdict === "string") return { check, state: "ok", said: verdict };
    if ("warning" in verdict) return { check, state: "warning", said: verdict.warning };
    return { check, state: "missing", said: verdict.missing };
  } catch (error) {
    return { check, state: "missing", said: describe(error) };
  }
}
