// The replica that a push writes to.
import { linkSignals } from "../../io/signals.ts";
import type { SyncContext } from "../device/context.ts";
import type { Replica } from "../device/replica.ts";
import { beforeRead } from "../read/before-read.ts";

/** How long a push waits for this replica to catch up: longer than a read, the pusher has uploaded already. */
const READ_PATIENCE_MS = 120_000;

/**
 * The replica to write to. One that this process knows to be whole is not asked about: the write itself is refused unless the
 * replica is at the head, and what else there is to find out is found then.
 */
export async function replicaOf(context: SyncContext, repository: string): Promise<Replica> {
  const known = context.replicas.findByName(repository);
  await known?.mutex.look();
  if (known?.applied !== undefined) return known;
  return await readFirst(context, repository);
}

/** The replica, once it has caught up. */
export async function readFirst(context: SyncContext, repository: string): Promise<Replica> {
  using patience = linkSignals([context.signal], READ_PATIENCE_MS);
  return (await beforeRead(context, repository, { signal: patience.signal })).replica;
}
