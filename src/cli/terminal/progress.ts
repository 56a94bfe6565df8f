// Shows progress to a waiting person: one line on standard error, rewritten in place. Where standard error is no
// terminal, such as in the log of a job, a line is added now and then.
import type { Run } from "./command.ts";

/** Work that ends sooner shows no line, because nobody could read it. */
const FIRST_MS = 250;
const TICK_MS = 200;
const BAR_WIDTH = 24;
/** A line that is too long keeps this many characters of its end, where the duration stands. */
const END_WIDTH = 8;
const CLEAR = "\r\x1b[K";
/** Without these a line that is too wide would go on in the next line, and stay there. */
const [NO_WRAP, WRAP] = ["\x1b[?7l", "\x1b[?7h"];
/** The width of a terminal that does not tell its own. */
const WIDTH = 80;
/** Where there is no terminal, a line comes this often at most, and only if it has changed. */
const LINE_MS = 10_000;

/** Shows one line about work that goes on, until it is disposed of. */
export class Progress implements Disposable {
  readonly #stderr: { write(text: string): unknown; readonly columns?: number } | undefined;
  readonly #isTerminal: boolean;
  readonly #startedAt = performance.now();
  #line: () => string = () => "";
  #shown = false;
  #last = "";
  #timer: NodeJS.Timeout | undefined;

  /** `quiet`: shows nothing, because a program reads the answer. */
  constructor(stderr: NodeJS.WriteStream, quiet: boolean) {
    this.#stderr = quiet ? undefined : stderr;
    this.#isTerminal = stderr.isTTY;
  }

  /** Shows `what` with the number of seconds since the work began. */
  wait(what: string): void {
    this.show(() => `${what} … ${Math.round((performance.now() - this.#startedAt) / 1000)} s`);
  }

  /** Shows the line that `line` returns, and calls `line` again every 200 ms. */
  show(line: () => string): void {
    this.#line = line;
    if (this.#stderr === undefined || this.#timer !== undefined) return;
    if (!this.#isTerminal) {
      this.#timer = setInterval(() => this.#add(), LINE_MS).unref();
      return;
    }
    this.#timer = setTimeout(() => {
      this.#draw();
      this.#timer = setInterval(() => this.#draw(), TICK_MS).unref();
    }, FIRST_MS).unref();
  }

  /** Removes the line so that something else can be printed. The next tick shows the line again. */
  clear(): void {
    if (this.#shown) this.#stderr?.write(CLEAR);
    this.#shown = false;
  }

  /** Removes the line for good. */
  stop(): void {
    // `clearTimeout` clears an interval as well.
    clearTimeout(this.#timer);
    this.clear();
  }

  [Symbol.dispose](): void {
    this.stop();
  }

  #draw(): void {
    this.#shown = true;
    if (this.#stderr === undefined) return;
    // CLEAR removes one line only. If the text wrapped, each tick would leave a line behind.
    const width = (this.#stderr.columns || WIDTH) - 1;
    const line = this.#line();
    const fitting = line.length > width ? `${line.slice(0, width - 1 - END_WIDTH)}…${line.slice(-END_WIDTH)}` : line;
    this.#stderr.write(`${CLEAR}${NO_WRAP}${fitting}${WRAP}`);
  }

  #add(): void {
    const line = this.#line();
    if (line !== this.#last) this.#stderr?.write(`${line}\n`);
    this.#last = line;
  }
}

/** Shows `what` with the seconds while `work` goes on, and returns its result. `json`: shows nothing. */
export async function showWhile<T>(
  { host, json }: Pick<Run, "host" | "json">,
  what: string,
  work: Promise<T>,
): Promise<T> {
  using progress = new Progress(host.stderr, json);
  progress.wait(what);
  return await work;
}

/** Returns a bar with the percentage of `done` in `total`. While the total is unknown (0), returns "". */
export function bar(done: number, total: number): string {
  if (total <= 0) return "";
  const part = Math.min(1, done / total);
  const filled = Math.round(part * BAR_WIDTH);
  return `[${"#".repeat(filled)}${".".repeat(BAR_WIDTH - filled)}] ${String(Math.floor(part * 100)).padStart(3)} %`;
}

/** Returns bytes as a person reads them, in powers of 1000: "12.3 MB". */
export function size(bytes: number): string {
  if (bytes < 1e3) return `${bytes} B`;
  if (bytes < 1e6) return `${(bytes / 1e3).toFixed(1)} kB`;
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(2)} GB`;
}
