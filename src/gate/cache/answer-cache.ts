// The answers of git about refs: the advertisements, and `ls-refs` of protocol version 2. While a replica has the refs
// of one version, git answers the same question with the same bytes. So the gate asks the sidecar, as always, and
// starts no git.
import { createHash } from "node:crypto";
import { seenByGit } from "./seen-by-git.ts";

/** The parts of a question to git, apart from the settings. */
export interface Question {
  readonly repository: string;
  /** The value of the header Git-Protocol. */
  readonly protocol: string | undefined;
  /** The request `ls-refs`. undefined: the question is for the advertisement. */
  readonly lsRefs: Buffer | undefined;
  /** True: the question is for the advertisement to a pusher. */
  readonly forPush?: boolean;
}

/** An answer of git. */
export interface CachedAnswer {
  readonly output: Buffer;
  /** The replica and the settings that git found: the result of `seenByGit`. */
  readonly seen: string;
  /** When git was started, and when it got its input (milliseconds of the monotonic clock). */
  readonly startedAt: number;
  readonly inputAt: number;
  /** What the sidecar calls the refs of this answer. Only for pushers. */
  readonly mark?: string | undefined;
}

/**
 * The memory of an answer besides git's output, in bytes. Without it a client could fill the memory with questions that
 * each have an empty answer.
 */
const OVERHEAD = 1_024;

/** Keeps answers. The answer that was asked for longest ago goes first. */
export class AnswerCache {
  readonly #most: number;
  readonly #answers = new Map<string, CachedAnswer>();
  readonly #home: string;
  #bytes = 0;

  /** `most`: the bytes of all answers together. 0: no answer is kept. `home`: the home directory of git. */
  constructor(most: number, home: string) {
    this.#most = most;
    this.#home = home;
  }

  /** Returns which replica and which settings git would find now (`seenByGit`). */
  look(path: string): string | undefined {
    return seenByGit(path, this.#home);
  }

  /** The most bytes of one answer. One large repository does not drive out all others. */
  get largest(): number {
    return Math.floor(this.#most / 4);
  }

  /** Returns the last answer to a question; a rule tells whether it counts. */
  find(question: Question): CachedAnswer | undefined {
    const key = keyOf(question);
    const answer = this.#answers.get(key);
    if (answer === undefined) return undefined;
    this.#answers.delete(key);
    this.#answers.set(key, answer);
    return answer;
  }

  /** Keeps an answer. An answer with a session id is that of one process only (git's transfer.advertiseSID). */
  keep(question: Question, answer: CachedAnswer): void {
    if (answer.output.length > this.largest || answer.output.includes("session-id=")) return;
    const key = keyOf(question);
    this.#drop(key);
    this.#answers.set(key, answer);
    this.#bytes += sizeOf(answer);
    for (const oldest of this.#answers.keys()) {
      if (this.#bytes <= this.#most) break;
      this.#drop(oldest);
    }
  }

  #drop(key: string): void {
    const answer = this.#answers.get(key);
    if (answer === undefined) return;
    this.#bytes -= sizeOf(answer);
    this.#answers.delete(key);
  }
}

function sizeOf({ output }: CachedAnswer): number {
  return output.length + OVERHEAD;
}

function keyOf({ repository, protocol, lsRefs, forPush = false }: Question): string {
  const sum = lsRefs === undefined ? "" : createHash("sha256").update(lsRefs).digest("base64");
  return [repository, protocol ?? "", sum, forPush].join("\0");
}
