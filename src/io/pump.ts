// Bytes from one stream to another, with backpressure.
import type { Writable } from "node:stream";

/**
 * Copies until the source ends, and leaves the sink open. A sink that is gone is not an error: the rest is read and thrown
 * away, so that whoever writes the source comes to its end. Throws what reading throws.
 */
export async function copy(source: AsyncIterable<Buffer>, sink: Writable): Promise<void> {
  for await (const chunk of source) if (!sink.destroyed && !sink.write(chunk)) await drained(sink);
}

/** Resolves when the sink takes more, or is gone. */
export function drained(sink: Writable): Promise<void> {
  return new Promise((resolve) => {
    const settle = (): void => {
      sink.off("drain", settle).off("close", settle);
      resolve();
    };
    sink.on("drain", settle).on("close", settle);
    if (sink.destroyed) settle();
  });
}
