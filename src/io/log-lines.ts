// Writes the lines of the log. If a line cannot be written, because the disk of the log is full, it is lost and the
// program goes on.
import { pino } from "pino";
import { inSources } from "./stacks.ts";
import { visibleJson } from "./visible.ts";

/** Serializes the field `err` of a line, which is an error or a text. */
export function err(value: unknown): unknown {
  if (!(value instanceof Error)) return value;
  const { stack, ...rest } = pino.stdSerializers.err(value);
  return { ...rest, stack: inSources(stack) };
}

/** Returns an object that writes each line to a file descriptor before `write` returns. */
export function logLines(fd: number): { write(line: string): void } {
  let lines = open();
  function open() {
    const opened = pino.destination({ fd, sync: true });
    // Opens a new destination: the old one would keep this line and all later lines.
    opened.on("error", () => {
      lines = open();
    });
    return opened;
  }
  return { write: (line) => void lines.write(visibleJson(line)) };
}
