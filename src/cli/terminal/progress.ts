// What a person sees while waiting: one line on standard error, rewritten in place, and only where that is a terminal.

/** Work that is done before this shows nothing: a line that flashes up tells nobody anything. */
const FIRST_MS = 250;
const TICK_MS = 200;
const BAR_WIDTH = 24;
/** Of a line that is too long the end is kept, which says for how long. */
const END_WIDTH = 8;
const CLEAR = "\r\x1b[K";

export class Progress implements Disposable {
  readonly #terminal: { write(text: string): unknown; readonly columns?: number } | undefined;
  #line: () => string = () => "";
  #shown = false;
  #timer: NodeJS.Timeout | undefined;

  /** `quiet`: a program reads the answer. */
  constructor(stderr: NodeJS.WriteStream, quiet: boolean) {
    this.#terminal = stderr.isTTY && !quiet ? stderr : undefined;
  }

  /** What happens now, and for how long it has. */
  wait(what: string): void {
    const startedAt = performance.now();
    this.show(() => `${what} … ${Math.round((performance.now() - startedAt) / 1000)} s`);
  }

  /** The line from now on; asked for it several times a second. */
  show(line: () => string): void {
    this.#line = line;
    if (this.#terminal === undefined || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#draw();
      this.#timer = setInterval(() => this.#draw(), TICK_MS).unref();
    }, FIRST_MS).unref();
  }

  /** Takes the line away, so that something else can be printed; it comes back with the next tick. */
  clear(): void {
    if (this.#shown) this.#terminal?.write(CLEAR);
    this.#shown = false;
  }

  /** Takes the line away for good. */
  stop(): void {
    // Clears an interval as well.
    clearTimeout(this.#timer);
    this.clear();
  }

  [Symbol.dispose](): void {
    this.stop();
  }

  #draw(): void {
    this.#shown = true;
    if (this.#terminal === undefined) return;
    // A line that wraps is not taken away again: each tick would leave one behind.
    const width = (this.#terminal.columns || Number.POSITIVE_INFINITY) - 1;
    const line = this.#line();
    this.#terminal.write(
      CLEAR + (line.length > width ? `${line.slice(0, width - 1 - END_WIDTH)}…${line.slice(-END_WIDTH)}` : line),
    );
  }
}

/** `done` of `total` as a bar with a percentage; nothing while the total is unknown. */
export function bar(done: number, total: number): string {
  if (total <= 0) return "";
  const part = Math.min(1, done / total);
  const filled = Math.round(part * BAR_WIDTH);
  return `[${"#".repeat(filled)}${".".repeat(BAR_WIDTH - filled)}] ${String(Math.floor(part * 100)).padStart(3)} %`;
}

/** Bytes as a person reads them. */
export function size(bytes: number): string {
  if (bytes < 1e3) return `${bytes} B`;
  if (bytes < 1e6) return `${(bytes / 1e3).toFixed(1)} kB`;
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(2)} GB`;
}
