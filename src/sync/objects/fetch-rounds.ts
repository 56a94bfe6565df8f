// Objects by the million: a peer takes so many ids in one request, so more of them come in several packs.

/** A peer takes four times as many (serve-pack.ts). */
const IDS_AT_ONCE = 500_000;

interface Ids {
  readonly wants: readonly string[];
  readonly haves: readonly string[];
  /** Each part must be whole by itself. */
  readonly alone?: boolean;
}

/**
 * The same request in parts, to be fetched one after another; no part where nothing is wanted. What came with a part need not be
 * sent again with the next one. A part does not name all that is here, which costs bytes at most.
 */
export function* rounds<Request extends Ids>(request: Request, limit = IDS_AT_ONCE): Generator<Request> {
  const { wants, haves } = request;
  for (let from = 0; from < wants.length; from += limit) {
    const before = request.alone ? [] : wants.slice(Math.max(0, from - limit), from);
    const known = [...before, ...haves.slice(0, limit)];
    yield { ...request, wants: wants.slice(from, from + limit), haves: known.slice(0, limit) };
  }
}
