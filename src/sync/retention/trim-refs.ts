// Deletes refs below refs/lockstep/ that have been kept for long enough. Only replicas with a note are looked at.
import { join } from "node:path";
import { crashPoint } from "../../crash-points.ts";
import { isUuid, PRIVATE_REFS, type RefName, toLatin1 } from "../../domain.ts";
import { describe, LockstepError } from "../../errors.ts";
import { countDays, forgetKept, listNotes, readSeen, writeSeen } from "../../git/beside/kept-notes.ts";
import { readRefNames } from "../../git/refs/refs.ts";
import { STATE_DIR } from "../../git/root/root-record.ts";
import { RefTransaction } from "../../git/transactions/ref-transaction.ts";
import { linkSignals } from "../../io/signals.ts";
import { replicaName } from "../../store/replica/replicas.ts";
import type { Keep } from "../../store/retention/subjects.ts";
import { releaseHolds } from "../copies/hold-objects.ts";
import type { SyncContext } from "../device/context.ts";
import type { Replica } from "../device/replica.ts";
import { beforeRead } from "../read/before-read.ts";

/** How long a replica may take to come to the head. */
const PATIENCE_MS = 60_000;

const KINDS = ["dropped", "lost", "staged"] as const;
type Kind = (typeof KINDS)[number];

/** Deletes what is due and returns how many refs of each kind are left. A replica that cannot be read is left out. */
export async function trimRefs(
  context: SyncContext,
  keep: (subject: "dropped" | "lost") => Keep,
  today: string,
): Promise<Record<Kind, number>> {
  const stateDir = join(context.root, STATE_DIR);
  const left = { dropped: 0, lost: 0, staged: 0 };
  for (const id of (await listNotes(stateDir)).filter(isUuid)) {
    if (context.signal.aborted) break;
    try {
      const names = await trimReplica(context, id, keep, today);
      for (const kind of KINDS) left[kind] += names.filter((name) => partsOf(name)[0] === kind).length;
    } catch (error) {
      if (context.signal.aborted) break;
      const code = error instanceof LockstepError ? error.code : undefined;
      // A repository that was removed may be restored, with these refs.
      if (code === "REPOSITORY_NOT_FOUND") continue;
      if (code === "REPLICA_NOT_FOUND") forgetKept(stateDir, id);
      else context.log.warn({ id, err: describe(error) }, "could not look after the kept refs of a replica");
    }
  }
  return left;
}

/** Returns the kept refs that are left. */
async function trimReplica(
  context: SyncContext,
  id: string,
  keep: (subject: "dropped" | "lost") => Keep,
  today: string,
): Promise<RefName[]> {
  const stateDir = join(context.root, STATE_DIR);
  const name = await replicaName(context.db, context.me.device, id);
  // A replica that hangs must not keep the others from being looked at.
  using patience = linkSignals([context.signal], PATIENCE_MS);
  const { replica } = await beforeRead(context, name, { signal: patience.signal });
  await releaseHolds(context, replica);
  const names = await readRefNames(context.git, replica.gitDir, PRIVATE_REFS);
  if (names.length === 0) forgetKept(stateDir, id);
  const seen = await readSeen(stateDir, id);
  const groups = new Set(names.map((each) => partsOf(each).join("/")).filter((group) => !group.startsWith("staged/")));
  const counted = countDays(seen, groups, today);
  if (JSON.stringify(counted) !== JSON.stringify(seen)) await writeSeen(stateDir, id, counted);
  await crashPoint("retention.noted");
  const isOver = (ref: RefName) => {
    const [kind, group] = partsOf(ref);
    if (kind !== "dropped" && kind !== "lost") return false;
    return (counted[`${kind}/${group}`]?.days ?? 0) > keep(kind).days;
  };
  const over = names.filter(isOver);
  if (over.length > 0) await deleteRefs(context, replica, over);
  return names.filter((each) => !isOver(each));
}

/** Returns the kind of a kept ref, and the write or the version that it belongs to. */
function partsOf(name: RefName): [kind: string, group: string] {
  const [kind = "", group = ""] = toLatin1(name).slice(PRIVATE_REFS.length).split("/");
  return [kind, group];
}

async function deleteRefs(context: SyncContext, replica: Replica, names: readonly RefName[]): Promise<void> {
  await replica.mutex.runExclusive(async () => {
    await using transaction = new RefTransaction(context.git, replica.gitDir, { count: names.length });
    const refusal = await transaction.prepare(names.map((name) => ({ name, newValue: null })));
    if (refusal) throw new LockstepError("GIT_FAILED", `git does not delete kept refs (${refusal.message}).`);
    await transaction.commit();
  });
  const line = { repository: replica.name, refs: names.length, first: toLatin1(names[0] as RefName) };
  context.log.info(line, "deleted refs that were kept for long enough");
}
