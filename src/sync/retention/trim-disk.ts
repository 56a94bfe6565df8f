// Deletes what this device's disk has kept for long enough, and counts what is left for `lockstep status`.
import { recordKept } from "../../store/retention/kept-space.ts";
import type { SyncContext } from "../device/context.ts";
import { readRules } from "./trim-database.ts";
import { FILE_KINDS, trimFiles } from "./trim-files.ts";
import { trimRefs } from "./trim-refs.ts";

/** Deletes what is due on this device's disk, and records what is left. `today`: the date. */
export async function trimDisk(context: SyncContext, today: string): Promise<void> {
  const keep = await readRules(context.db);
  const refs = await trimRefs(context, keep, today);
  const files = await trimFiles(context, keep, today);
  await recordKept(context.db, context.me, [
    ...(["dropped", "lost", "staged"] as const).map((subject) => ({
      subject,
      items: BigInt(refs[subject]),
      bytes: 0n,
    })),
    ...FILE_KINDS.map((subject) => ({
      subject,
      items: BigInt(files[subject].items),
      bytes: BigInt(files[subject].bytes),
    })),
  ]);
}
