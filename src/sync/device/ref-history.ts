// The last changes of a replica's refs, for a front end that keeps what git said about refs at an earlier moment. They
// are in memory, and only while somebody asks. Where a change is not known exactly, the history begins anew.
import { randomUUID } from "node:crypto";
import { isSymbolic, type RefName, type RefValue, type Version } from "../../domain.ts";

/** The values of the refs that differ between two versions, as of the later one. null: there is no such ref. */
export type RefChanges = ReadonlyMap<RefName, RefValue | null>;

/** How many changes are kept for a replica, and how many are told at once. */
const KEPT = 256;
const TOLD = 64;
/** After so many versions about which nobody asked, nothing is kept until somebody asks again. */
const UNASKED = 256;

/** The changes that led to a version. */
interface Step {
  readonly to: Version;
  readonly changes: RefChanges;
}

/** The changes of one replica. A mark names the refs of one moment. */
export class RefHistory {
  /** Another one after each change that is not known exactly. */
  #life = randomUUID();
  /** The version to which the changes lead. undefined: not known. */
  #at: Version | undefined = undefined;
  /** True from the moment when the refs are in doubt until the next known change. */
  #inDoubt = false;
  #steps: Step[] = [];
  #size = 0;
  /** The oldest version from which the changes are known. */
  #from: Version = 0n;
  #unasked = UNASKED;

  /** The refs may be others than those of any version. */
  doubt(): void {
    this.#inDoubt = true;
  }

  /** The refs went from one version to another by exactly these changes. undefined: nobody knows from where. */
  advance(from: Version | undefined, to: Version, changes: RefChanges): void {
    if (from === undefined || from !== this.#at || changes.size > TOLD) this.#begin(to);
    else this.#add({ to, changes });
  }

  /** The refs are those of this version. If no known change led here, the history begins anew. */
  arrive(version: Version): void {
    if (this.#inDoubt || version !== this.#at) this.#begin(version);
  }

  /** Names the refs of a version that this replica has. */
  markOf(version: Version): string {
    this.#unasked = 0;
    return `${this.#life}:${version}`;
  }

  /**
   * Returns what has changed from the moment of the mark to a version. undefined: not known, too much, or a symbolic
   * ref, with which other refs change.
   */
  since(mark: string, version: Version): RefChanges | undefined {
    const [life, number = ""] = mark.split(":");
    if (life !== this.#life || !/^\d{1,19}$/.test(number)) return undefined;
    const from = BigInt(number);
    if (from < this.#from || this.#at === undefined || version > this.#at || from > version) return undefined;
    const steps = this.#steps.filter(({ to }) => to > from && to <= version);
    const changes = new Map(steps.flatMap((step) => [...step.changes]));
    const isPlain = steps.every((step) => [...step.changes.values()].every((value) => !isSymbolic(value)));
    return isPlain && changes.size <= TOLD ? changes : undefined;
  }

  #add(step: Step): void {
    this.#inDoubt = false;
    this.#at = step.to;
    this.#unasked += 1;
    if (this.#unasked > UNASKED) {
      this.#forget(step.to);
      return;
    }
    this.#steps.push(step);
    this.#size += step.changes.size;
    while (this.#size > KEPT || this.#steps.length > KEPT) {
      const oldest = this.#steps.shift() as Step;
      this.#size -= oldest.changes.size;
      this.#from = oldest.to;
    }
  }

  #begin(at: Version): void {
    this.#life = randomUUID();
    this.#inDoubt = false;
    this.#at = at;
    this.#forget(at);
  }

  #forget(at: Version): void {
    this.#steps = [];
    this.#size = 0;
    this.#from = at;
  }
}
