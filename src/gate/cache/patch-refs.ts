// Puts new values into an advertisement of receive-pack (gitprotocol-pack). Each ref has a packet of its own: the id, a
// space, the name, and a line feed. The first packet has a NUL and the capabilities behind the name.

/** The new ids of refs, by their names as bytes (latin1). Empty: the ref is gone. */
export type NewIds = ReadonlyMap<string, string>;

/** Such a packet is about something else than a ref of the repository itself. */
const OTHERS = [" .have\n", "shallow ", "capabilities^{}", "push-cert="];

/** Returns whether the advertisement depends on refs, settings and nothing else, so that it may be kept and patched. */
export function canBePatched(advertisement: Buffer): boolean {
  return !OTHERS.some((each) => advertisement.includes(each));
}

/**
 * Returns the advertisement with the new ids. undefined: a ref has come or gone, and only git knows whether it shows it
 * and where.
 */
export function patched(advertisement: Buffer, ids: NewIds): Buffer | undefined {
  if (ids.size === 0) return advertisement;
  const copy = Buffer.from(advertisement);
  for (const [name, id] of ids) {
    const end = findName(copy, name);
    if (end === -1 && id === "") continue;
    if (end < id.length || id === "") return undefined;
    copy.write(id, end - id.length, "latin1");
  }
  return copy;
}

/** Returns where the space before a name is, or -1. No name has a space, a line feed or a NUL. */
function findName(advertisement: Buffer, name: string): number {
  const found = advertisement.indexOf(` ${name}\n`, 0, "latin1");
  return found === -1 ? advertisement.indexOf(` ${name}\0`, 0, "latin1") : found;
}
