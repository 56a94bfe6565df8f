// The request of a device that has others keep objects: its limits on both sides.
import { objectIds, type RefUpdate, toLatin1 } from "../../domain.ts";
import { LockstepError } from "../../errors.ts";
import type { HoldRequestBody } from "../../git/peers/pack-requests.ts";
import { checkedObjects } from "../objects/serve-pack.ts";

/** Objects to keep in one request. Each becomes a ref for an hour. */
const WANTS_LIMIT = 1_000;
/** Objects and refs on which the new ones build. */
const KNOWN_LIMIT = 10_000;

/** Returns the requests for the objects of the updates, to be made one after another. */
export function holdRequests(
  repositoryId: string,
  updates: readonly RefUpdate[],
  limit = WANTS_LIMIT,
): HoldRequestBody[] {
  const requests: HoldRequestBody[] = [];
  const asked = new Set<string>();
  for (let from = 0; from < updates.length; from += limit) {
    const part = updates.slice(from, from + limit);
    const wants = [...new Set(objectIds(part.map(({ newValue }) => newValue)))].filter((id) => !asked.has(id));
    for (const id of wants) asked.add(id);
    // The device has the objects of the request before this one by then.
    const haves = [...objectIds(part.map(({ oldValue }) => oldValue)), ...(requests.at(-1)?.wants ?? [])];
    const refs = part.filter(({ oldValue }) => oldValue !== null).map(({ name }) => toLatin1(name));
    if (wants.length > 0) requests.push({ repositoryId, wants, haves, refs });
  }
  return requests;
}

/** Returns the message of a device, each wanted object once. Throws INVALID_REQUEST. */
export function checkedHold(body: unknown): HoldRequestBody {
  const { repositoryId, wants, haves } = checkedObjects(body);
  const refs = checkedRefs(body);
  if (wants.length > WANTS_LIMIT || haves.length > KNOWN_LIMIT || refs.length > KNOWN_LIMIT)
    throw new LockstepError(
      "INVALID_REQUEST",
      `A request for copies names at most ${WANTS_LIMIT} objects, and ${KNOWN_LIMIT} on which they build; ask several times.`,
    );
  return { repositoryId, wants: [...new Set(wants)], haves, refs };
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: exactly those must not be in a name.
const REF_NAME = /^(HEAD|refs\/(?!lockstep\/)(?!.*(\.\.|@\{))[^\x00-\x20~^:?*[\\]+)$/;

/**
 * Returns the names of refs in the message of a device. git cannot take them for anything else. Throws INVALID_REQUEST.
 */
function checkedRefs(body: unknown): string[] {
  const { refs = [] } = (body ?? {}) as { refs?: unknown };
  if (Array.isArray(refs) && refs.every((name) => typeof name === "string" && REF_NAME.test(name))) return refs;
  throw new LockstepError(
    "INVALID_REQUEST",
    "A request for copies has a wrong name of a ref; run the same version of Lockstep on all devices.",
  );
}
