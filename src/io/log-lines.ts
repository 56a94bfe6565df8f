// Where the lines of the log go. One that cannot be written, because the disk that the log lies on is full, is lost; the program goes on.
import { pino } from "pino";

/** Writes each line to a file descriptor before it returns. */
export function logLines(fd: number): { write(line: string): void } {
  let lines = open();
  function open() {
    const opened = pino.destination({ fd, sync: true });
    // Another one, since this one would keep the line and all that come after it.
    opened.on("error", () => {
      lines = open();
    });
    return opened;
  }
  return { write: (line) => void lines.write(line) };
}
