// Decides which source sends. One source is asked. If no asked source shows work for a moment, another one is asked
// too, and the first goes on. The source whose first byte comes first sends the pack. The connections to the others
// end. If that source fails, they are asked again.

import type { PackRequestBody } from "../../git/peers/pack-requests.ts";
import { type LinkedSignal, linkSignals } from "../../io/signals.ts";
import { WAITS } from "../../waits.ts";

const AT_ONCE = 3;

/** A device that may send objects. */
export interface Source {
  readonly device: string;
  readonly gitAddress: string;
  readonly sshAddress?: string;
  readonly sshUser?: string;
  readonly visit: PackRequestBody["visit"];
}

/** The signal and the callbacks of one question to a source. */
export interface SourceAttempt {
  /** Aborts when the answer is not needed any more. */
  readonly signal: AbortSignal;
  /** Called when the source shows new work. */
  readonly onWork: () => void;
  /** Called when the first byte of the pack is here. */
  readonly onArrival: () => void;
}

/** The order in which to ask. */
export interface Sources {
  /** Returns the next source. `fresh`: only a source that has not been asked yet. */
  next(fresh: boolean): Source | undefined;
  /** Puts back a source that was slower than another one, which may yet fail. */
  putBack(source: Source): void;
  refused(source: Source, error: unknown): void;
}

interface Running {
  readonly source: Source;
  readonly link: LinkedSignal;
}

type Outcome = { readonly of: Running } & ({ readonly bytes: number } | { readonly error: unknown });

/**
 * Returns the source that sent the pack, and its bytes. undefined: all sources have refused. Throws the reason of
 * `signal` when that aborts.
 */
export async function firstToSend(
  sources: Sources,
  ask: (source: Source, attempt: SourceAttempt) => Promise<number>,
  signal: AbortSignal,
): Promise<{ source: Source; bytes: number } | undefined> {
  const running = new Map<Running, Promise<Outcome>>();
  let sender: Running | undefined;
  let wanted = 1;
  let onQuiet = () => {};
  const quiet = setTimeout(() => onQuiet(), WAITS.sourceHedgeMs);
  const drop = (loser: Running) => {
    running.delete(loser);
    loser.link.abort(new Error("another device was faster"));
  };
  const start = (source: Source) => {
    const started: Running = { source, link: linkSignals([signal]) };
    const onWork = () => void quiet.refresh();
    const onArrival = () => {
      if (sender !== undefined || !running.has(started)) return;
      sender = started;
      for (const other of [...running.keys()].filter((each) => each !== started)) {
        drop(other);
        sources.putBack(other.source);
      }
    };
    const asked = ask(source, { signal: started.link.signal, onWork, onArrival });
    const outcome = asked.then(
      (bytes) => ({ of: started, bytes }),
      (error: unknown) => ({ of: started, error }),
    );
    running.set(
      started,
      outcome.finally(() => started.link[Symbol.dispose]()),
    );
    quiet.refresh();
  };
  try {
    for (;;) {
      while (running.size < wanted && sender === undefined) {
        const source = sources.next(running.size > 0);
        if (source === undefined) break;
        start(source);
      }
      if (running.size === 0) return undefined;
      const silence = new Promise<undefined>((resolve) => {
        onQuiet = () => resolve(undefined);
      });
      const outcome = await Promise.race([...running.values(), silence]);
      signal.throwIfAborted();
      if (outcome === undefined) {
        wanted = Math.min(running.size + 1, AT_ONCE);
        quiet.refresh();
        continue;
      }
      // The answer of a source that has been given up already.
      if (!running.delete(outcome.of)) continue;
      if ("bytes" in outcome) return { source: outcome.of.source, bytes: outcome.bytes };
      if (outcome.of === sender) [sender, wanted] = [undefined, 1];
      sources.refused(outcome.of.source, outcome.error);
    }
  } finally {
    clearTimeout(quiet);
    for (const each of [...running.keys()]) drop(each);
  }
}
