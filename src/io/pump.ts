// Copies bytes from one stream to another, with backpressure.
import type { Writable } from "node:stream";

/**
 * Copies until the source ends, and leaves the sink open. If the sink is gone, it reads and drops the rest, so that the
 * program that writes the source can end. Throws errors of reading.
 */
export async function copy(source: AsyncIterable<Buffer>, sink: Writable): Promise<void> {
  for await (const chunk of source) if (!sink.destroyed && !sink.write(chunk)) await untilWritable(sink);
}

/** Resolves when the sink takes more data or is gone. */
export function untilWritable(sink: Writable): Promise<void> {
  return new Promise((resolve) => {
    const settle = (): void => {
      sink.off("drain", settle).off("close", settle);
      resolve();
    };
    sink.on("drain", settle).on("close", settle);
    if (sink.destroyed) settle();
  });
}
