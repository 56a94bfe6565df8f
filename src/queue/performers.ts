// Assigns a function to each command.
import { wasReplica } from "../git/replica/repository.ts";
import { exists } from "../io/disk.ts";
import type { CommandName } from "../store/command/commands.ts";
import { catchUpToHead } from "../sync/catch-up/catch-up.ts";
import { verify } from "../sync/operator/verify-replica.ts";
import { followName } from "../sync/place/follow-name.ts";
import { destroyReplicaFiles } from "../sync/placement/destroy-replica.ts";
import { releaseReplica } from "../sync/placement/release-replica.ts";
import { collectGarbage } from "../sync/upkeep/collect-garbage.ts";
import type { Perform, Performer } from "./performer.ts";

/** Brings the replica to the head as of now; makes it, if it is not there. */
const sync: Perform = async (context, _command, replica, signal) => {
  const before = replica.applied;
  await catchUpToHead(context, replica, { signal, insist: true });
  const outcome = {
    from_version: before === undefined ? null : Number(before),
    version: Number(replica.applied ?? 0n),
  };
  return { outcome, changed: before !== replica.applied };
};

/** Compares the replica with the log and reads every object. It repairs all differences and damage. */
const verifyFully: Perform = async (context, _command, replica, signal) => {
  const { version, refs, differences, damage, failure } = await verify(context, replica.name, {
    full: true,
    gently: true,
    signal,
  });
  const outcome = { version: Number(version), refs, differences: differences.length, damage, failure };
  return { outcome, changed: differences.length + damage.length > 0 };
};

/** Makes the refs those of the log, whatever this process believes of them. Then verifies the replica in full. */
const repair: Perform = async (context, command, replica, signal) => {
  await replica.mutex.distrust();
  await catchUpToHead(context, replica, { signal, insist: true });
  return await verifyFully(context, command, replica, signal);
};

/** Packs the replica anew. No ref changes. */
const gc: Perform = async (context, _command, replica, signal) => ({
  outcome: { ...(await collectGarbage(context, replica.name, { signal })) },
  changed: false,
});

/** Gives the copy up; its files are kept for some days. */
const release: Perform = async (context, command, replica) => {
  const { keep_days, removed } = command.arguments;
  // A command that an operator asks for by its name has neither.
  const options = { keepDays: daysOf(keep_days), decided: keep_days !== undefined || removed !== undefined };
  // While packs are rolled up, paths in the old directory are in use.
  return await replica.tidying.runExclusive(() => releaseReplica(context, replica, options));
};

/** Frees the files of a copy that was given up. They may still lie at their old place. */
const destroy: Perform = async (context, command, replica) => {
  const released = String(command.arguments.released);
  return await replica.tidying.runExclusive(() => destroyReplicaFiles(context, replica, released));
};

/** For how many days removed files are kept if nobody said otherwise. */
const KEEP_DAYS = 14;

function daysOf(days: unknown): number {
  return typeof days === "number" && Number.isInteger(days) && days >= 0 ? days : KEEP_DAYS;
}

/** Moves the directory to the place of the repository's name of now. */
const rename: Perform = async (context, _command, replica, signal) => {
  // While packs are rolled up, paths in the old directory are in use.
  const from = await replica.tidying.runExclusive(() => followName(context, replica));
  // Something else lies there: says what.
  if (!(await wasReplica(replica.gitDir, replica.id)) && (await exists(replica.gitDir)))
    await catchUpToHead(context, replica, { signal, insist: true });
  return { outcome: { from: from ?? null, name: replica.name }, changed: from !== undefined };
};

/**
 * The errors after which a command fails that is ordered again by itself, and of which only few wait at once. Those of
 * other replicas must not wait behind it for ever. With the rests between them ten errors take some nine minutes.
 */
const OF_UPKEEP = 10;

/** The commands that this version can carry out. */
export const PERFORMERS: Readonly<Partial<Record<CommandName, Performer>>> = {
  provision: { states: ["pending"], perform: sync },
  sync: { states: ["pending", "active", "broken"], perform: sync },
  verify: { states: ["active", "broken"], perform: verifyFully, failures: OF_UPKEEP },
  rename: { states: ["pending", "active", "broken"], perform: rename },
  repair: { states: ["pending", "active", "broken"], perform: repair },
  gc: { states: ["active"], perform: gc, failures: OF_UPKEEP },
  // Repeated after a kill between the row and the files.
  release: { states: ["pending", "active", "broken", "released"], perform: release },
  destroy: { states: ["released", "destroyed"], perform: destroy },
};
