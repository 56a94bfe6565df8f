// Deletes, in the background of every device, what has been kept for long enough: rows of the database, and files and
// refs of this device.
import { setTimeout as sleep } from "node:timers/promises";
import { WAITS } from "../../waits.ts";
import type { SyncContext } from "../device/context.ts";
import { tellFailure } from "../lease/tell-outage.ts";
import { trimDatabase } from "./trim-database.ts";
import { trimDisk } from "./trim-disk.ts";

/** How many pauses come between two looks at the disk. The first look comes after the first pause. */
const DISK_EVERY = 240;

/** Goes on until the context's signal aborts. Never rejects. */
export async function keepTrimming(context: SyncContext): Promise<void> {
  for (let round = 0; !context.signal.aborted; round += 1) {
    // The pause varies, so that the devices of a cluster do not do it together.
    await sleep(WAITS.trimMs * (0.8 + 0.4 * Math.random()), undefined, { signal: context.signal }).catch(() => {});
    if (context.signal.aborted) return;
    try {
      await trimDatabase(context);
      if (round % DISK_EVERY === 0) await trimDisk(context, new Date().toISOString().slice(0, 10));
    } catch (error) {
      if (!context.signal.aborted) tellFailure(context, error, "could not delete what is kept no longer");
    }
  }
}
