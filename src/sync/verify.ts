// Do the refs on disk equal the fold of the log? Reads, changes nothing.
import { digestOf, displayRef, type RefName, type Version } from "../domain.ts";
import { LockstepError } from "../errors.ts";
import { readRefs } from "../git/refs.ts";
import { inspect } from "../git/repository.ts";
import { readFold } from "../store/ref-log.ts";
import { beforeRead } from "./before-read.ts";
import type { SyncContext } from "./context.ts";

export interface Verification {
  readonly version: Version;
  readonly refs: number;
  readonly differences: { name: RefName; onDisk: string; inLog: string }[];
}

/**
 * Catches up, then compares while no ref changes. Throws what `beforeRead` throws, NOT_A_REPOSITORY, and INTERNAL when the stored
 * refs themselves do not have the digest of their version.
 */
export async function verify(context: SyncContext, name: string, signal: AbortSignal): Promise<Verification> {
  for (;;) {
    const { replica } = await beforeRead(context, name, { signal });
    const found = await replica.mutex.runExclusive(async () => {
      const fold = await readFold(context.db, replica.id);
      if (fold.head !== replica.applied) return undefined;
      if (!digestOf(fold.digestKey, fold.refs).equals(fold.digest)) {
        throw new LockstepError(
          "INTERNAL",
          `The stored refs of ${name} do not have the digest of version ${fold.head}; restore the database.`,
        );
      }
      if ((await inspect(context.git, replica.gitDir, replica.id)) === "absent") {
        throw new LockstepError(
          "NOT_A_REPOSITORY",
          `${replica.gitDir} is gone; restart the sidecar, which makes the replica anew.`,
        );
      }
      const onDisk = await readRefs(context.git, replica.gitDir, signal);
      const names = new Set([...onDisk.keys(), ...fold.refs.keys()]);
      const differences = [...names]
        .map((ref) => ({ name: ref, onDisk: onDisk.get(ref) ?? "", inLog: fold.refs.get(ref) ?? "" }))
        .filter((each) => each.onDisk !== each.inLog)
        .sort((a, b) => (displayRef(a.name) < displayRef(b.name) ? -1 : 1));
      return { version: fold.head, refs: fold.refs.size, differences };
    });
    // Another device landed a write between the two looks; catch up and compare again.
    if (found) return found;
    signal.throwIfAborted();
  }
}
