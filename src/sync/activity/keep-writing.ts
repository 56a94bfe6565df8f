// Writes the rows of the push log and of the pull log that this device has noted, about once a second. It waits for the
// database, and nobody waits for it. A process that is killed loses what it has not written.
import { setTimeout as sleep } from "node:timers/promises";
import { LockstepError } from "../../errors.ts";
import { insertPulls, insertPushes } from "../../store/activity/write-events.ts";
import { WAITS } from "../../waits.ts";
import type { SyncContext } from "../device/context.ts";
import { tellFailure } from "../lease/tell-outage.ts";

/** How many rows one statement writes. */
const BATCH = 500;
/** How long the end of the process waits for the last rows. */
const GOODBYE_MS = 1_000;

/** Goes on until the context's signal aborts, and then writes once more. Never rejects. */
export async function keepWritingEvents(context: SyncContext): Promise<void> {
  const { signal } = context;
  while (!signal.aborted) {
    await sleep(WAITS.eventsMs, undefined, { signal }).catch(() => {});
    await untilGoodbye(signal, writeEvents(context));
  }
}

/** Writes the noted events. After a failure it tries them again the next time. Never rejects. */
export async function writeEvents({ db, me, events, log, signal }: SyncContext): Promise<void> {
  const { pushes, pulls } = events.take();
  try {
    while (pushes.length > 0) {
      await insertPushes(db, me.device, pushes.slice(0, BATCH));
      pushes.splice(0, BATCH);
    }
    while (pulls.length > 0) {
      await insertPulls(db, me.device, pulls.slice(0, BATCH));
      pulls.splice(0, BATCH);
    }
  } catch (error) {
    // Rows that the database refuses would be refused for ever.
    const isRefused = !(error instanceof LockstepError && error.code === "DATABASE_UNAVAILABLE");
    if (isRefused) events.drop(pushes.length > 0 ? pushes : pulls, BATCH);
    events.giveBack({ pushes, pulls });
    if (!signal.aborted) tellFailure({ db, log }, error, "could not write the push log and the pull log");
  }
}

/** Waits for the work. Once the signal has aborted, it waits only for a moment. */
async function untilGoodbye(signal: AbortSignal, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  let leave = () => {};
  const late = new Promise<void>((done) => {
    leave = () => {
      timer = setTimeout(done, GOODBYE_MS);
    };
  });
  if (signal.aborted) leave();
  else signal.addEventListener("abort", leave, { once: true });
  await Promise.race([work, late]);
  signal.removeEventListener("abort", leave);
  clearTimeout(timer);
}
