// The refs that a pusher is shown. Each push changes them. So git's answer is kept with a mark of the refs that git
// found, and the sidecar names those that have changed since. With their new ids in it, the answer is git's again.
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { GitChild } from "../../smart-http/git-child.ts";
import { type AnswerCache, BELIEVED_MS, type CachedAnswer, type Question } from "./answer-cache.ts";
import type { Grant } from "./grant.ts";
import { canBePatched, patched } from "./patch-refs.ts";
import { Recording } from "./recording.ts";

/** One request for the refs before a push. Its methods are those of CachedRequest. */
export class PushRefsRequest {
  readonly #cache: AnswerCache;
  readonly #question: Question;
  readonly #path: string;
  readonly #found: CachedAnswer | undefined;
  readonly #recording: Recording;
  #grant: Grant | undefined;
  /** The mark of the refs before git looked at any. */
  #mark: string | undefined;
  #seen: string | undefined;
  #startedAt = 0;

  constructor(cache: AnswerCache, question: Question, path: string) {
    this.#cache = cache;
    this.#question = question;
    this.#path = path;
    this.#found = cache.find(question);
    this.#recording = new Recording(cache.largest);
  }

  /** From where on the sidecar is to tell changes. */
  get since(): string {
    return this.#found?.mark ?? "new";
  }

  /** Notes a grant of the sidecar. */
  granted({ refsMark }: Grant): void {
    // The first one: git looks at the refs after it, or they have not changed between.
    this.#mark ??= refsMark;
  }

  /** Returns git's answer if the cache has it and the sidecar agrees and tells all changes. Throws its refusal. */
  async answer(ask: () => Promise<Grant>): Promise<Buffer | undefined> {
    const found = this.#found;
    if (found === undefined) return undefined;
    const grant = await ask();
    const isOld = performance.now() - found.startedAt > BELIEVED_MS;
    const output =
      this.#look() === found.seen && !isOld && grant.changes !== undefined && !this.#hasAliases()
        ? patched(found.output, grant.changes)
        : undefined;
    if (output === undefined) {
      this.#grant = grant;
      return undefined;
    }
    if (grant.refsMark !== found.mark) this.#cache.keep(this.#question, { ...found, output, mark: grant.refsMark });
    return output;
  }

  takeGrant(): Promise<Grant> | undefined {
    const grant = this.#grant && Promise.resolve(this.#grant);
    this.#grant = undefined;
    return grant;
  }

  beforeStart(): void {
    this.#seen = this.#look();
    this.#startedAt = performance.now();
  }

  started(): void {}

  add(chunk: Buffer): void {
    this.#recording.add(chunk);
  }

  end(): void {
    this.#recording.end();
  }

  /** Keeps the answer of a git that has ended well, if replica and settings are still those that git found. */
  async keep(git: GitChild): Promise<void> {
    const [seen, mark] = [this.#seen, this.#mark];
    const output = await this.#recording.outputOf(git);
    if (output === undefined || seen === undefined || !mark || !canBePatched(output) || this.#hasAliases()) return;
    if (this.#look() !== seen) return;
    this.#cache.keep(this.#question, { output, seen, mark, lookedAfter: undefined, startedAt: this.#startedAt });
  }

  #look(): string | undefined {
    return this.#cache.look(this.#path);
  }

  /**
   * Returns true where a ref may lead to another one, and changes with it. Such a replica has this hook
   * (git/refs/alias-hook.ts).
   */
  #hasAliases(): boolean {
    return existsSync(join(this.#path, "hooks", "pre-receive"));
  }
}
