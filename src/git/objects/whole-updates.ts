// Whether everything that new values of refs need is here. git's receive-pack has looked too, but the front end's settings decide how: it
// may follow replacement refs, or take the edge of a shallow clone for the beginning of history. No other device can follow then.
import { HEAD, isSymbolic, objectIds, PRIVATE_REFS, type RefName, type RefUpdate, toLatin1 } from "../../domain.ts";
import type { GitContext } from "../process.ts";
import { existingObjects, isConnected, startWalk, type Walk } from "./connectivity.ts";

const ALL_REFS = ["--not", `--exclude=${PRIVATE_REFS}*`, "--all"];

/** Beyond so many gits no more is tried to tell updates apart. */
const WALKS_LIMIT = 64;

/** git's words, and what helps: most often it is the edge of a shallow clone. */
const NOT_WHOLE = "missing necessary objects, push from a clone with the whole history (git fetch --unshallow)";

/**
 * Those updates whose new value needs an object that is not here, each with a sentence for whoever made it. The refs on disk are whole;
 * the old values in `updates` are only what somebody claims, so the walk ends at what the refs hold. Costs a walk over what is new; where
 * something is missing, a few walks and a look at all refs. `started`: from `startWalk`.
 */
export async function incompleteUpdates(
  context: GitContext,
  gitDir: string,
  updates: readonly RefUpdate[],
  options: { signal: AbortSignal; started?: Walk | undefined },
): Promise<Map<RefName, string>> {
  const making = updates.filter(({ newValue }) => newValue !== null && !isSymbolic(newValue));
  if (making.length === 0) return new Map();
  const known = making
    .filter(({ name, oldValue }) => oldValue !== null && !isId(toLatin1(name)))
    .map(({ name }) => name);
  // What is made anew is most often near the branch of HEAD. A name that is not there makes git fail, and all refs are looked at.
  const ends = known.length === making.length ? known : [...new Set([...known, HEAD])];
  await using walk = options.started ?? startWalk(context, gitDir, options);
  if (await walk.isConnected(idsOf(making), ends.map(toLatin1))) return new Map();
  const incomplete = await apart(context, gitDir, making, options);
  const here = new Set(await existingObjects(context, gitDir, idsOf(incomplete), options.signal));
  return new Map(
    incomplete.map(({ name, newValue }) => [name, here.has(newValue as string) ? NOT_WHOLE : "missing object"]),
  );
}

/**
 * Those of `ids` that are here, if all that they need is here too: what merely exists may be what a refused push left. Costs a walk from them
 * to what `refs` (names) hold here. Empty where one of them is not whole.
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

/** Where there is no ref of such a name, git takes it for the output of `git describe`: the object whose id begins so. */
function isId(name: string): boolean {
  return /-g[0-9a-f]*$/i.test(name);
}

/** Finds by halves which updates are not whole; what has not been told apart within the limit counts as not whole. */
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
