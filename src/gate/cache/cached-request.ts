// One request whose answer may come from the cache, or go into it.
import type { GitChild } from "../../smart-http/git-child.ts";
import { isVersion2 } from "../../smart-http/protocol.ts";
import type { GitRequest } from "../../smart-http/route.ts";
import { type AnswerCache, type CachedAnswer, isCurrent, type Question } from "./answer-cache.ts";
import type { Grant } from "./grant.ts";
import { PushRefsRequest } from "./push-refs.ts";
import { Recording } from "./recording.ts";

/** Where git would run, and how it reads refs. */
export interface Place {
  /** The path of the replica. */
  readonly path: string;
  /** "first": git reads the refs when it starts. "later": when it has its input. "never": the answer has no refs. */
  readonly readsRefs: "first" | "later" | "never";
}

/** Returns the request as one for the cache; undefined when its answer depends on more than refs. */
export function cachedRequest(
  cache: AnswerCache,
  { repository, service, advertisement }: GitRequest,
  { protocol, lsRefs }: Pick<Question, "protocol" | "lsRefs">,
  path: string,
): CachedRequest | PushRefsRequest | undefined {
  if ((!advertisement && lsRefs === undefined) || cache.largest === 0) return undefined;
  if (service === "receive-pack")
    return new PushRefsRequest(cache, { repository, protocol, lsRefs, forPush: true }, path);
  const readsRefs = !advertisement ? "later" : isVersion2(service, protocol) ? "never" : "first";
  return new CachedRequest(cache, { repository, protocol, lsRefs }, { path, readsRefs });
}

/** Looks an answer up when it is made, before the sidecar is asked. Afterwards it records git's answer. */
class CachedRequest {
  readonly #cache: AnswerCache;
  readonly #question: Question;
  readonly #place: Place;
  readonly #found: CachedAnswer | undefined;
  readonly #recording: Recording;
  #grant: Grant | undefined;
  #seen: string | undefined;
  #startedAt = 0;
  #lookedAfter: number | undefined;

  constructor(cache: AnswerCache, question: Question, place: Place) {
    this.#cache = cache;
    this.#question = question;
    this.#place = place;
    this.#found = cache.find(question);
    this.#recording = new Recording(cache.largest);
  }

  /** From where on the sidecar is to tell changes. Nothing here needs them. */
  get since(): undefined {
    return undefined;
  }

  /** Notes a grant of the sidecar. */
  granted(_grant: Grant): void {}

  /** Returns git's answer if the cache has it and the sidecar, which is asked then, agrees. Throws its refusal. */
  async answer(ask: () => Promise<Grant>): Promise<Buffer | undefined> {
    if (this.#found === undefined) return undefined;
    const grant = await ask();
    if (isCurrent(this.#found, grant.unchangedMs, this.#look())) return this.#found.output;
    this.#grant = grant;
    return undefined;
  }

  /** Returns the sidecar's grant if it was asked in vain. The caller needs not ask again, once. */
  takeGrant(): Promise<Grant> | undefined {
    const grant = this.#grant && Promise.resolve(this.#grant);
    this.#grant = undefined;
    return grant;
  }

  /** To be called before git starts. If it is called twice, the first git is not the one that answers. */
  beforeStart(): void {
    this.#seen = this.#look();
    this.#startedAt = performance.now();
  }

  /** To be called when git has started, before it gets its input. */
  started(): void {
    const { readsRefs } = this.#place;
    if (readsRefs !== "never") this.#lookedAfter = readsRefs === "first" ? this.#startedAt : performance.now();
  }

  /** Notes a part of git's output. */
  add(chunk: Buffer): void {
    this.#recording.add(chunk);
  }

  /** Notes that git's output has ended. */
  end(): void {
    this.#recording.end();
  }

  /** Keeps the answer of a git that has ended well, if replica and settings are still those that git found. */
  async keep(git: GitChild): Promise<void> {
    const seen = this.#seen;
    const output = await this.#recording.outputOf(git);
    if (output === undefined || seen === undefined || this.#look() !== seen) return;
    this.#cache.keep(this.#question, { output, seen, lookedAfter: this.#lookedAfter, startedAt: this.#startedAt });
  }

  #look(): string | undefined {
    return this.#cache.look(this.#place.path);
  }
}
