// How many refs a push may change. A client may send millions of commands in a small compressed request, without a
// pack. So the sidecar keeps only as many as are allowed, and counts the others.
import { LockstepError } from "../errors.ts";

/** How much of a push is kept. */
export interface CommandLimits {
  readonly commands: number;
  /** Of all commands together: git takes names of 64 KB. */
  readonly bytes: number;
}

export const UNLIMITED: CommandLimits = {
  commands: Number.POSITIVE_INFINITY,
  bytes: Number.POSITIVE_INFINITY,
};

/** 50,000 commands with names of 250 characters. */
const BYTES = 16 << 20;

/** Returns the limits that the gate or the shim for ssh has set. The account of the git server itself has none. */
export function limitsOf(env: ReadonlyMap<string, string>): CommandLimits {
  const commands = Number(env.get("LOCKSTEP_PUSH_REFS"));
  // With more refs than by default there is more room for their names.
  return commands > 0 ? { commands, bytes: Math.max(BYTES, commands * 335) } : UNLIMITED;
}

/** Refuses a push that is beyond the limits. `held`: how many of its refs git has not handed over. */
export function refuseTooMany(
  limits: CommandLimits,
  { kept, dropped, held }: { kept: number; dropped: number; held: number },
): void {
  const refs = kept + dropped + held;
  if (refs > limits.commands)
    throw new LockstepError(
      "INVALID_REQUEST",
      `This push changes ${refs} refs, and this server takes ${limits.commands} at once. Nothing was written; push in parts.`,
    );
  if (dropped > 0)
    throw new LockstepError(
      "INVALID_REQUEST",
      `The names of the refs of this push need more than ${limits.bytes >> 20} MiB. Nothing was written; push in parts.`,
    );
}
