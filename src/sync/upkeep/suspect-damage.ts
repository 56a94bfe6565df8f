// Orders a full verification of a replica after a git has failed there as if the disk were damaged.
import { enqueueCommand, notifyCommands } from "../../store/command/commands.ts";
import type { SyncContext } from "../device/context.ts";

/** git's words about objects or packs that it cannot read. A client cannot cause them by asking for something. */
const DAMAGE =
  /corrupt|bad (tree |commit |blob )?object|unable to (read|parse|unpack|find)|could not read|cannot read|failed to (read|traverse)|data stream error|does not match|hash mismatch|too (short|small)|cannot be (accessed|mapped)|missing (blob|tree|commit)|packed object|bad signature|inflate|multi-pack-index|bitmap/i;
/** Damage that is not repaired, or none at all, must not keep the disk busy. */
const AGAIN_MS = 10 * 60_000;
const WORDS_LIMIT = 150;

/**
 * Orders a verification if the words of git speak of damage. Returns whether it did. At most one in ten minutes for a
 * replica. Throws DATABASE_UNAVAILABLE.
 */
export async function suspectDamage(
  { db, me, replicas }: SyncContext,
  { id, name }: { id: string; name: string },
  said: string,
): Promise<boolean> {
  if (!DAMAGE.test(said)) return false;
  const times = replicas.damageOrderedAt;
  const now = performance.now();
  for (const [each, at] of times) if (now - at > AGAIN_MS) times.delete(each);
  if (times.has(id)) return false;
  times.set(id, now);
  try {
    await enqueueCommand(db, {
      repositoryId: id,
      repository: name,
      device: me.device,
      command: "verify",
      author: me.device,
      reason: `git failed: ${said.trim().slice(-WORDS_LIMIT)}`,
      daemon: true,
    });
    await notifyCommands(db, [me.device]);
  } catch (error) {
    times.delete(id);
    throw error;
  }
  return true;
}
