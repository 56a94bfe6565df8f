// Whether all objects that new values of refs need are here. git's receive-pack has checked this too, but by the
// settings of the front end. Its git may follow replacement refs, or take the edge of a shallow clone for the beginning
// of history. Then no other device can follow.
import { HEAD, isSymbolic, objectIds, PRIVATE_REFS, type RefName, type RefUpdate, toLatin1 } from "../../domain.ts";
import type { GitContext } from "../process.ts";
import type { KeptReader } from "../reading/kept-reader.ts";
import { isWholeNearby } from "../reading/short-walk.ts";
import { existingObjects, isConnected } from "./connectivity.ts";

const ALL_REFS = ["--not", `--exclude=${PRIVATE_REFS}*`, "--all"];

/** The limit of walks that tell updates apart. */
const WALKS_LIMIT = 64;

/** git's own words, and the remedy for the most common cause: the edge of a shallow clone. */
const NOT_WHOLE = "missing necessary objects, push from a clone with the whole history (git fetch --unshallow)";

/**
 * Returns the updates whose new value needs a missing object, each with a sentence for its author. The walk ends at the
 * refs on disk, which are whole; the old values in `updates` are only claims. Costs a walk over the new objects. If
 * objects are missing, it costs a few more walks and a look at all refs. `reader`: walks over few objects without a git
 * of their own.
 */
export async function incompleteUpdates(
  context: GitContext,
  gitDir: string,
  updates: readonly RefUpdate[],
  { signal, reader }: { signal: AbortSignal; reader?: KeptReader },
): Promise<Map<RefName, string>> {
  const making = updates.filter(({ newValue }) => newValue !== null && !isSymbolic(newValue));
  if (making.length === 0) return new Map();
  const known = making
    .filter(({ name, oldValue }) => oldValue !== null && !isId(toLatin1(name)))
    .map(({ name }) => name);
  // A new ref is most often near the branch of HEAD. A missing name makes git fail, and then all refs are searched.
  const ends = known.length === making.length ? known : [...new Set([...known, HEAD])];
  const walk = [idsOf(making), ends.map(toLatin1)] as const;
  if (reader && (await isWholeNearby(reader.get(context, gitDir), ...walk))) return new Map();
  signal.throwIfAborted();
  if (await isConnected(context, gitDir, ...walk, { signal })) return new Map();
  const incomplete = await apart(context, gitDir, making, { signal });
  const here = new Set(await existingObjects(context, gitDir, idsOf(incomplete), signal));
  return new Map(
    incomplete.map(({ name, newValue }) => [name, here.has(newValue as string) ? NOT_WHOLE : "missing object"]),
  );
}

/**
 * Returns those of `ids` that are here, if all objects that they need are here too; empty when one is incomplete. An
 * object that merely exists may be left from a refused push. Costs a walk from `ids` to the values of `refs` (names).
 */
export async function wholeObjects(
  context: GitContext,
  gitDir: string,
  { ids, refs }: { ids: readonly string[]; refs: readonly string[] },
  signal: AbortSignal,
): Promise<string[]> {
  const here = await existingObjects(context, gitDir, ids, signal);
  const ends = refs.filter((name) => !isId(name));
  if (here.length === 0 || (await isConnected(context, gitDir, here, ends, { signal }))) return here;
  return (await isConnected(context, gitDir, here, [], { signal, besides: ALL_REFS })) ? here : [];
}

/**
 * Returns true for a name that git may take for an id. If there is no such ref, git reads it as output of `git
 * describe`: an object whose id begins so.
 */
function isId(name: string): boolean {
  return /-g[0-9a-f]*$/i.test(name);
}

/**
 * Finds the incomplete updates by halving. At the limit of walks, updates that were not told apart count as incomplete.
 */
async function apart(
  context: GitContext,
  gitDir: string,
  updates: readonly RefUpdate[],
  { signal }: { signal: AbortSignal },
): Promise<RefUpdate[]> {
  let walks = 0;
  const look = async (some: readonly RefUpdate[]): Promise<RefUpdate[]> => {
    walks += 1;
    if (await isConnected(context, gitDir, idsOf(some), [], { signal, besides: ALL_REFS })) return [];
    const half = Math.ceil(some.length / 2);
    if (some.length === 1 || walks >= WALKS_LIMIT) return [...some];
    return [...(await look(some.slice(0, half))), ...(await look(some.slice(half)))];
  };
  return await look(updates);
}

function idsOf(updates: readonly RefUpdate[]): string[] {
  return objectIds(updates.map(({ newValue }) => newValue));
}
