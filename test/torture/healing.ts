// Heals the cluster after the faults: all processes run and reach each other again. Then tests that pushes and reads
// work.
import { setTimeout as delay } from "node:timers/promises";
import { administer } from "../support/administer.ts";
import type { FaultContext } from "./fault-context.ts";
import { restoreAll, undrain } from "./life-faults.ts";
import { adoptRest } from "./moved-in.ts";
import type { Session } from "./session.ts";
import type { Asked } from "./told.ts";

const READY_MS = 180_000;
/** Within this time a push through every device must succeed. */
const BOUND_MS = 120_000;
const RETRY_MS = 250;

/**
 * Takes back leftover faults. Then pushes and reads through every device until both succeed or the time is up. Returns
 * the repositories, also those that were adopted.
 */
export async function heal(
  context: FaultContext,
  first: readonly string[],
  sessions: readonly Session[],
): Promise<string[]> {
  const { cluster, recorder, locks, placed } = context;
  for (const { host, database } of cluster.members) {
    database.mend();
    host.start();
  }
  for (const device of cluster.names) await undrain(context, device);
  await cluster.untilReady(READY_MS);
  await restoreAll(context);
  const repositories = [...first, ...(await adoptRest(context, BOUND_MS))];
  await wakeCommands(context);
  await placed.refresh();
  const at = recorder.now();
  const deadline = at + BOUND_MS;
  const holdsSome = (device: string) => repositories.some((each) => placed.holdersOf(each)?.includes(device));
  const devices = cluster.names.filter(holdsSome);
  recorder.records.push({ record: "healed", at, devices, bound: BOUND_MS });
  for (const device of devices) {
    for (const repository of repositories) {
      if (!placed.holdersOf(repository)?.includes(device)) continue;
      // A lock that a fault put down must not block a push. A deletion needs the lock of packed-refs too.
      const locked = locks.filter((each) => each.device === device && each.repository === repository);
      const refs = [
        `refs/heads/end/${device}`,
        ...locked.map(({ ref }) => ref).filter((ref) => ref.startsWith("refs/")),
      ];
      const push = async (ref: string, exists: boolean) =>
        await pushUntil({ context, session: sessions[0]!, device, repository, ref, exists }, deadline);
      for (const ref of new Set(refs)) await push(ref, true);
      await push(`refs/heads/end/${device}`, false);
    }
  }
  for (const session of sessions) {
    for (const device of devices) {
      for (const repository of repositories) {
        if (placed.holdersOf(repository)?.includes(device))
          await session.read("ls-remote", device, repository, "refs/heads/");
      }
    }
  }
  return repositories;
}

/** Makes commands due that rest after errors, up to five minutes. What was caused by faults should pass now. */
async function wakeCommands({ cluster }: FaultContext): Promise<void> {
  await administer(cluster.databaseUrl, (db) =>
    db.query("update lockstep.command set due_at = clock_timestamp() where state = 'queued' and command <> 'destroy'"),
  );
}

interface LastPush {
  readonly context: FaultContext;
  readonly session: Session;
  readonly device: string;
  readonly repository: string;
  readonly ref: string;
  readonly exists: boolean;
}

/** Makes or removes a ref, and tries until that succeeds. */
async function pushUntil(
  { context: { commits, recorder }, session, device, repository, ref, exists }: LastPush,
  deadline: number,
): Promise<void> {
  for (;;) {
    const value = exists ? await commits.make(null, "end") : null;
    const asked: Asked[] = [{ ref, believed: null, demanded: false, new: value }];
    const operation = exists ? "force" : "delete";
    if ((await session.push({ operation, device, repository, asked, forced: true })) === "ok") return;
    if (recorder.now() > deadline) return;
    await delay(RETRY_MS);
  }
}
