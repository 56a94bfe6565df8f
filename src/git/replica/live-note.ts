// A replica on whose files somebody works directly. What its refs were is noted beside them: whatever dies meanwhile, what was
// changed is told from what was there before, and kept, before anything else looks at the refs.
import { readFile, realpath, rm } from "node:fs/promises";
import { join } from "node:path";
import { crashPoint } from "../../crash-points.ts";
import { HEAD, type Refs } from "../../domain.ts";
import { LockstepError } from "../../errors.ts";
import { replaceFile, sync, syncFileSystem } from "../../io/disk.ts";
import type { GitContext } from "../process.ts";
import { readRefs } from "../refs/refs.ts";
import { processesWithOpen } from "../root/root-lock.ts";
import { formatRefs, parseRefs, replaceScratch } from "./scratch.ts";

/** Whatever works on the replica has this file open, so that it can be told when all of it has ended. */
const NOTE = "lockstep.live";

export function livePath(gitDir: string): string {
  return join(gitDir, NOTE);
}

/** The write that works on the files of a replica, or undefined. */
export async function liveWrite(gitDir: string): Promise<string | undefined> {
  return await readFile(livePath(gitDir), "latin1").then(
    (note) => note.slice(0, note.indexOf("\n")),
    () => undefined,
  );
}

/** Notes, durably, that the write works on the files of a replica, and which refs that has now. Costs a walk over them. */
export async function noteLive(context: GitContext, gitDir: string, writeId: string): Promise<void> {
  const refs = await readRefs(context, gitDir);
  await replaceFile(livePath(gitDir), Buffer.concat([Buffer.from(`${writeId}\n`), formatRefs(refs)]));
  await crashPoint("live.noted");
}

/**
 * Moves what was changed on the files of a replica, if anybody has worked on them, into the scratch that `scratchOf` names for the
 * write: from there it lands or is kept as in any session. The refs stay as they are, to be folded. Killed anywhere, it is
 * run again. Throws REPLICA_IN_DOUBT while a process still has the note open.
 */
export async function leaveLive(
  context: GitContext,
  replica: { name: string; gitDir: string; objectFormat: "sha1" | "sha256" },
  scratchOf: (writeId: string) => string,
): Promise<void> {
  const { name, gitDir } = replica;
  const note = await readFile(livePath(gitDir)).catch(() => undefined);
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

/** A HEAD that cannot be read is no wish. */
function withHead(refs: Refs, base: Refs): Refs {
  const head = refs.get(HEAD) ?? base.get(HEAD);
  return head === undefined ? refs : new Map([...refs, [HEAD, head]]);
}
