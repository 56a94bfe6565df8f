// Cuts the wanted objects of a catch-up into parts by the devices that hold them. While several devices write, each has
// the objects of its own writes, and perhaps no device has those of all.
import { isSymbolic, type RefName, type RefValue, type Version } from "../../domain.ts";
import type { Origin } from "../../store/log/ref-log.ts";
import type { Part } from "./fetch-from-source.ts";

/**
 * Returns the parts of the wanted values. A value without an origin is older than `since`: each replica at that version
 * holds it.
 */
export function partsOf(
  wanted: Iterable<readonly [RefName, RefValue | null]>,
  origins: ReadonlyMap<RefName, Origin>,
  { me, since }: { me: string; since: Version },
): Part[] {
  const parts = new Map<string, { wants: Set<string>; version: Version; devices: readonly string[] }>();
  for (const [name, value] of wanted) {
    if (value === null || isSymbolic(value)) continue;
    const { version, devices } = origins.get(name) ?? { version: since, devices: [] };
    const key = [...devices].sort().join(" ");
    const part = parts.get(key) ?? { wants: new Set(), version, devices };
    parts.set(key, part);
    part.wants.add(value);
    if (version > part.version) part.version = version;
  }
  return [...parts.values()].map(({ wants, version, devices }) => ({
    wants: [...wants],
    version,
    writers: devices,
    lookHere: devices.includes(me),
  }));
}
