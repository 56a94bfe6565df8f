// A replica on whose files somebody works directly. A note beside them lists the refs from before the work. So the
// changes of that work can be told and kept, whichever process dies, before any other step looks at the refs.
import { readFile, realpath, rm } from "node:fs/promises";
import { join } from "node:path";
import { crashPoint } from "../../crash-points.ts";
import { HEAD, type Refs } from "../../domain.ts";
import { LockstepError } from "../../errors.ts";
import { replaceFile, sync, syncFileSystem, unlessAbsent } from "../../io/disk.ts";
import type { GitContext } from "../process.ts";
import { readRefs } from "../refs/refs.ts";
import { processesWithOpen } from "../root/root-lock.ts";
import { formatRefs, parseRefs, replaceScratch, type ScratchOf } from "./scratch.ts";

/** Every process that works on the files holds this file open. So Lockstep can tell when all of them have ended. */
const NOTE = "lockstep.live";

/** Returns the path of the note in a replica. */
export function livePath(gitDir: string): string {
  return join(gitDir, NOTE);
}

/** Returns the id of the write that works on the files of a replica, or undefined. Throws if the note is unreadable. */
export async function liveWrite(gitDir: string): Promise<string | undefined> {
  const note = await readFile(livePath(gitDir), "latin1").catch(unlessAbsent);
  return note?.slice(0, note.indexOf("\n"));
}

/**
 * Records durably that a write works on the files of a replica, and the replica's refs. Costs a walk over the refs.
 */
export async function noteLive(context: GitContext, gitDir: string, writeId: string): Promise<void> {
  const refs = await readRefs(context, gitDir);
  await replaceFile(livePath(gitDir), Buffer.concat([Buffer.from(`${writeId}\n`), formatRefs(refs)]));
  await crashPoint("live.noted");
}

/**
 * Moves the changes on a replica's files, if somebody has worked on them, into the scratch that `scratchOf` returns for
 * the write. From there they land or are kept as in any session. The refs stay as they are until recovery resets them
 * to the log. After a kill at any point, run it again. Throws REPLICA_IN_DOUBT while a process still holds the note
 * open.
 */
export async function leaveLive(
  context: GitContext,
  replica: ScratchOf,
  scratchOf: (writeId: string) => string,
): Promise<void> {
  const { name, gitDir } = replica;
  // A note that cannot be read for a moment still tells of work that is not kept yet.
  const note = await readFile(livePath(gitDir)).catch(unlessAbsent);
  if (note === undefined) return;
  const [worker] = await processesWithOpen(await realpath(livePath(gitDir)));
  if (worker)
    throw new LockstepError(
      "REPLICA_IN_DOUBT",
      `Process ${worker.pid} (${worker.program}) still works on the files of ${name} on this device; end it, or ask another device.`,
      { details: { repository: name, pid: String(worker.pid) } },
    );
  const end = note.indexOf("\n");
  const base = parseRefs(note.subarray(end + 1));
  const refs = await readRefs(context, gitDir);
  await replaceScratch(context, scratchOf(note.toString("latin1", 0, end)), replica, {
    base,
    refs: withHead(refs, base),
  });
  await syncFileSystem(gitDir);
  await crashPoint("live.moved");
  await rm(livePath(gitDir));
  await sync(gitDir);
}

/** Returns the refs with a HEAD. An unreadable HEAD counts as unchanged. */
function withHead(refs: Refs, base: Refs): Refs {
  const head = refs.get(HEAD) ?? base.get(HEAD);
  return head === undefined ? refs : new Map([...refs, [HEAD, head]]);
}
