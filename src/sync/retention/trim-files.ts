// Deletes files that were moved aside and have been kept for long enough. None is deleted before this device has a
// whole replica of its repository: until then it may be the only copy of something.
import { lstat, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { UUID } from "../../domain.ts";
import { countDays, readSeen, type Seen, writeSeen } from "../../git/beside/kept-notes.ts";
import { DOOMED } from "../../git/beside/removed.ts";
import { STATE_DIR } from "../../git/root/root-record.ts";
import { namesIn } from "../../io/disk.ts";
import { listActive } from "../../store/replica/replicas.ts";
import type { Keep } from "../../store/retention/subjects.ts";
import type { SyncContext } from "../device/context.ts";

/** removed: only counted here. Commands free those (sync/placement/release-replica.ts). */
export const FILE_KINDS = ["misplaced", "damaged", "foreign", "removed"] as const;
export type FileKind = (typeof FILE_KINDS)[number];

const NOTE = "files";

/** Deletes what is due and returns how many entries of each kind are left, and their bytes. */
export async function trimFiles(
  context: SyncContext,
  keep: (subject: FileKind) => Keep,
  today: string,
): Promise<Record<FileKind, { items: number; bytes: number }>> {
  const stateDir = join(context.root, STATE_DIR);
  const entries = await listEntries(stateDir);
  const seen = await readSeen(stateDir, NOTE);
  const counted = await withSizes(stateDir, seen, countDays(seen, entries, today));
  if (JSON.stringify(counted) !== JSON.stringify(seen)) await writeSeen(stateDir, NOTE, counted);
  const freeable = entries.filter((entry) => kindOf(entry) !== "removed");
  const due = freeable.filter((entry) => (counted[entry]?.days ?? 0) > keep(kindOf(entry)).days);
  const gone = due.length === 0 ? [] : await deleteWhole(context, stateDir, due);
  const none = () => ({ items: 0, bytes: 0 });
  const left = { misplaced: none(), damaged: none(), foreign: none(), removed: none() };
  for (const entry of entries.filter((each) => !gone.includes(each))) {
    left[kindOf(entry)].items += 1;
    left[kindOf(entry)].bytes += counted[entry]?.bytes ?? 0;
  }
  return left;
}

function kindOf(entry: string): FileKind {
  return entry.split("/")[0] as FileKind;
}

/** Returns the entries as paths below the root's own directory. Finishes deletions that a crash interrupted. */
async function listEntries(stateDir: string): Promise<string[]> {
  const entries: string[] = [];
  for (const kind of FILE_KINDS) {
    for (const name of await namesIn(join(stateDir, kind))) {
      // A command that was to free them may have died, and the repository may be placed here again since.
      if (name.endsWith(DOOMED)) await rm(join(stateDir, kind, name), { recursive: true, force: true });
      else entries.push(`${kind}/${name}`);
    }
  }
  return entries.sort();
}

/** Measures each entry once a day. */
async function withSizes(stateDir: string, before: Seen, counted: Seen): Promise<Seen> {
  const sized: Record<string, Seen[string]> = {};
  for (const [entry, each] of Object.entries(counted)) {
    const known = before[entry]?.last === each.last ? each.bytes : undefined;
    sized[entry] = { ...each, bytes: known ?? (await sizeOf(join(stateDir, entry))) };
  }
  return sized;
}

async function sizeOf(path: string): Promise<number> {
  const found = await lstat(path).catch(() => undefined);
  if (!found?.isDirectory()) return found?.size ?? 0;
  let bytes = 0;
  for (const name of await readdir(path).catch(() => [])) bytes += await sizeOf(join(path, name));
  return bytes;
}

/** Deletes those entries whose repository has a whole replica here, and returns them. */
async function deleteWhole(context: SyncContext, stateDir: string, due: readonly string[]): Promise<string[]> {
  const idOf = (entry: string) => new RegExp(`/(${UUID})`).exec(entry)?.[1];
  const ids = new Set(due.flatMap((entry) => idOf(entry) ?? []));
  const whole = new Set(await listActive(context.db, context.me.device, [...ids]));
  const gone = due.filter((entry) => whole.has(idOf(entry) ?? ""));
  for (const entry of gone) {
    const doomed = join(stateDir, `${entry}${DOOMED}`);
    await rename(join(stateDir, entry), doomed);
    await rm(doomed, { recursive: true, force: true });
    context.log.info({ path: join(stateDir, entry) }, "deleted files that were kept for long enough");
  }
  return gone;
}
