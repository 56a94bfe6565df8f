// Ends this process when another one has ended. The other process cannot tell us after SIGKILL, so we poll for it.
import type { Host } from "../../host.ts";
import { linkSignals } from "../../io/signals.ts";

const LOOK_MS = 500;

/** Returns a signal that aborts with the host's stop signal, and also when process `pid` has ended. */
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
