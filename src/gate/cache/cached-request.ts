// One request whose answer may come from the cache, or go into it.
import type { GitChild } from "../../smart-http/git-child.ts";
import { isVersion2 } from "../../smart-http/protocol.ts";
import type { GitRequest } from "../../smart-http/route.ts";
import type { AnswerCache, CachedAnswer, Question } from "./answer-cache.ts";
import type { Grant } from "./grant.ts";
import { pushRule } from "./push-refs.ts";
import { readRule } from "./read-refs.ts";
import { Recording } from "./recording.ts";
import type { Rule } from "./rule.ts";

/** `seen` does not cover files that git's configuration includes. A change in these takes effect after this time. */
const BELIEVED_MS = 60_000;

/** Returns the request as one for the cache; undefined when its answer depends on more than refs. */
export function cachedRequest(
  cache: AnswerCache,
  { repository, service, advertisement }: GitRequest,
  { protocol, lsRefs }: Pick<Question, "protocol" | "lsRefs">,
  path: string,
): CachedRequest | undefined {
  if ((!advertisement && lsRefs === undefined) || cache.largest === 0) return undefined;
  const question = { repository, protocol, lsRefs, forPush: service === "receive-pack" };
  if (question.forPush) return new CachedRequest(cache, question, path, pushRule(path));
  const readsRefs = !advertisement ? "later" : isVersion2(service, protocol) ? "never" : "first";
  return new CachedRequest(cache, question, path, readRule(readsRefs));
}

/** Looks an answer up when it is made, before the sidecar is asked. Afterwards it records git's answer. */
class CachedRequest {
  readonly #cache: AnswerCache;
  readonly #question: Question;
  readonly #path: string;
  readonly #rule: Rule;
  readonly #found: CachedAnswer | undefined;
  readonly #recording: Recording;
  #grant: Grant | undefined;
  /** The mark of the refs before git looked at any. */
  #mark: string | undefined;
  #seen: string | undefined;
  #startedAt = 0;
  #inputAt = 0;

  /** `path`: the replica. */
  constructor(cache: AnswerCache, question: Question, path: string, rule: Rule) {
    this.#cache = cache;
    this.#question = question;
    this.#path = path;
    this.#rule = rule;
    this.#found = cache.find(question);
    this.#recording = new Recording(cache.largest);
  }

  /** The mark from which on the sidecar is to tell changes. */
  get since(): string | undefined {
    return this.#rule.since(this.#found);
  }

  /** Notes a grant of the sidecar. */
  granted({ refsMark }: Grant): void {
    // The first one: git looks at the refs after it, or they have not changed between.
    this.#mark ??= refsMark;
  }

  /** Returns git's answer if the cache has it and the sidecar, which is asked then, agrees. Throws its refusal. */
  async answer(ask: () => Promise<Grant>): Promise<Buffer | undefined> {
    const found = this.#found;
    if (found === undefined) return undefined;
    const grant = await ask();
    const isOld = performance.now() - found.startedAt > BELIEVED_MS;
    const output = this.#look() === found.seen && !isOld ? this.#rule.now(found, grant) : undefined;
    if (output === undefined) this.#grant = grant;
    else if (grant.refsMark !== found.mark)
      this.#cache.keep(this.#question, { ...found, output, mark: grant.refsMark });
    return output;
  }

  /** If the cache had no answer, returns the grant that it asked for, once. The caller need not ask again. */
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
    this.#inputAt = performance.now();
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
    const [seen, mark, startedAt, inputAt] = [this.#seen, this.#mark, this.#startedAt, this.#inputAt];
    const output = await this.#recording.outputOf(git);
    if (output === undefined || seen === undefined) return;
    const answer = { output, seen, startedAt, inputAt, mark };
    if (this.#rule.mayKeep(answer) && this.#look() === seen) this.#cache.keep(this.#question, answer);
  }

  #look(): string | undefined {
    return this.#cache.look(this.#path);
  }
}
