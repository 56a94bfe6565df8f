// Converts what is kept, and for how long, to messages of the protocol.

import type { KeptSpace } from "../../store/retention/kept-space.ts";
import { ALL_SUBJECTS, describeRule } from "../../store/retention/subjects.ts";

/** Encodes all rules. `keeps`: the times that operators have set. */
export function encodeRules(keeps: ReadonlyMap<string, string>) {
  return ALL_SUBJECTS.map(({ name, what, where, keep: defaultKeep = "" }) => {
    const keep = keeps.get(name) ?? defaultKeep;
    return {
      subject: name,
      what,
      rule: describeRule(name, keep || undefined),
      keep,
      defaultKeep,
      onDisk: where === "disk",
    };
  });
}

/** Returns what a device keeps as the protocol has it. */
export function encodeKept({ subject, device, items, bytes }: KeptSpace) {
  return { subject, device: device ?? "", items: String(items), bytes: String(bytes) };
}
