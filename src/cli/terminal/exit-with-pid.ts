// Ends a process when another has ended, which cannot tell it so after SIGKILL.
import type { Host } from "../../host.ts";
import { linkSignals } from "../../io/signals.ts";

const LOOK_MS = 500;

/** The host's stop signal, which also aborts once process `pid` is gone. */
export function untilGone(host: Host, pid: string | undefined): AbortSignal {
  if (pid === undefined) return host.stop;
  const gone = new AbortController();
  const timer = setInterval(() => {
    try {
      host.kill(Number(pid), 0);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") return;
      clearInterval(timer);
      gone.abort();
    }
  }, LOOK_MS);
  timer.unref();
  return linkSignals([host.stop, gone.signal]).signal;
}
