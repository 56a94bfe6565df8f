// The room on the disk of this device as it was found last. Nobody who asks waits for the disk, which may hang.
import type { DiskRoom } from "../../health/disk-room.ts";

/** How old a measured value may grow before the disk is asked again. */
const FRESH_MS = 60_000;

/** Looks at the disk in the background, with one question at a time. */
export class KnownRoom {
  readonly #read: () => Promise<DiskRoom>;
  readonly #freshMs: number;
  #last: DiskRoom | undefined;
  #askedAt = Number.NEGATIVE_INFINITY;
  #asking = false;

  /** `read` asks the disk. It is called at once. */
  constructor(read: () => Promise<DiskRoom>, freshMs = FRESH_MS) {
    this.#read = read;
    this.#freshMs = freshMs;
    this.#look();
  }

  /** What the disk said last. undefined: it has said nothing yet. Orders the next look when it is due. */
  get last(): DiskRoom | undefined {
    this.#look();
    return this.#last;
  }

  #look(): void {
    // A disk that hangs is asked once, so it keeps one thread of the process and no more.
    if (this.#asking || performance.now() - this.#askedAt < this.#freshMs) return;
    this.#asking = true;
    this.#askedAt = performance.now();
    this.#read()
      .then((room) => {
        this.#last = room;
      })
      .catch(() => {})
      .finally(() => {
        this.#asking = false;
      });
  }
}
