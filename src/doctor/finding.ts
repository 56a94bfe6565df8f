// What a look at one prerequisite of `serve` comes to. Looks change nothing that lasts.
import type { Config } from "../config.ts";
import { describe } from "../errors.ts";
import type { Host } from "../host.ts";

/** What was found; where that is not well, a sentence with what to do about it. `missing`: serve would not start, or not work. */
export type Verdict = string | { readonly warning: string } | { readonly missing: string };

/** Whatever it throws counts as missing. */
export type Look = (config: Config, host: Host) => Promise<Verdict>;

export interface Finding {
  readonly check: string;
  readonly state: "ok" | "warning" | "missing";
  readonly said: string;
}

/** Takes a look, however it ends. */
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
