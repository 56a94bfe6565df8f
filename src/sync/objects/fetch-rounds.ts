// Cuts a request for millions of objects into several packs: a peer limits the ids of one request.

/** As many wanted ids, and as many that are here. Both fit into 16 MiB (git-port/request-whole.ts). */
const IDS_AT_ONCE = 100_000;

interface Ids {
  readonly wants: readonly string[];
  readonly haves: readonly string[];
  /** True: each part must be whole by itself. */
  readonly alone?: boolean;
}

/**
 * Yields the request in parts, to be fetched one after another. Without `wants` there is no part. Objects of the part
 * before need not be sent again. A part names only some of the objects that are here, which costs bytes at most.
 */
export function* rounds<Request extends Ids>(request: Request, limit = IDS_AT_ONCE): Generator<Request> {
  const { wants, haves } = request;
  for (let from = 0; from < wants.length; from += limit) {
    const before = request.alone ? [] : wants.slice(Math.max(0, from - limit), from);
    const known = [...before, ...haves.slice(0, limit)];
    yield { ...request, wants: wants.slice(from, from + limit), haves: known.slice(0, limit) };
  }
}
