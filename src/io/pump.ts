// Copies bytes from one stream to another, with backpressure.
import type { Writable } from "node:stream";

/** The longest piece of a buffer that is written at once. */
const PIECE = 1 << 16;

/**
 * Copies until the source ends, and leaves the sink open. If the sink is gone, it reads and drops the rest, so that the
 * program that writes the source can end. When `stopping` aborts, it destroys a sink that has no room, at once or
 * later. Throws errors of reading.
 */
export async function copy(
  source: AsyncIterable<Buffer> | Iterable<Buffer>,
  sink: Writable,
  stopping?: AbortSignal,
): Promise<void> {
  for await (const chunk of source) if (!sink.destroyed && !sink.write(chunk)) await untilWritable(sink, stopping);
}

/** Returns the bytes in pieces that share their memory. So a sink that takes a large buffer shows its progress. */
export function* piecesOf(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += PIECE) yield bytes.subarray(at, at + PIECE);
}

/** Resolves when the sink takes more data or is gone. When `stopping` aborts, it destroys the sink. */
export function untilWritable(sink: Writable, stopping?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const settle = (): void => {
      sink.off("drain", settle).off("close", settle);
      stopping?.removeEventListener("abort", cut);
      resolve();
    };
    const cut = (): void => {
      sink.destroy();
      settle();
    };
    sink.on("drain", settle).on("close", settle);
    stopping?.addEventListener("abort", cut);
    if (sink.destroyed) settle();
    else if (stopping?.aborted) cut();
  });
}

/** Resolves when the stream has closed, or when the signal aborts. */
export function untilClosed(stream: Writable, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const settle = (): void => {
      stream.off("close", settle);
      signal.removeEventListener("abort", settle);
      resolve();
    };
    stream.on("close", settle);
    signal.addEventListener("abort", settle);
    if (stream.destroyed || signal.aborted) settle();
  });
}
