// Brings the objects of earlier refs onto this device. No ref may have needed them since, so they may be gone here, on
// other devices, or everywhere.
import { displayRef, objectIds, type RefName, type RefUpdate, type Version } from "../../domain.ts";
import { describe, LockstepError } from "../../errors.ts";
import { incompleteUpdates } from "../../git/objects/whole-updates.ts";
import { readUnchangedTips, TIPS_OFFERED } from "../../store/log/unchanged-tips.ts";
import type { SyncContext } from "../device/context.ts";
import type { Replica } from "../device/replica.ts";
import { fetchObjects } from "../objects/fetch-objects.ts";

/** How many refs are asked for one by one, to tell which of them no device has. */
const APART_LIMIT = 32;

/** The refs that are to have their earlier values again, and where to look first. */
export interface Earlier {
  /** The version that is to be undone. */
  readonly version: Version;
  readonly head: Version;
  /** The device that landed the version. */
  readonly writer: string;
  readonly updates: readonly RefUpdate[];
}

/**
 * Returns when everything that the new values of the updates need is on this device. Throws UNDO_REFUSED, with the refs
 * whose objects no device could send, and QUEUE_FULL when the other devices are only busy.
 */
export async function bringObjects(
  context: SyncContext,
  replica: Replica,
  { version, head, writer, updates }: Earlier,
  signal: AbortSignal,
): Promise<void> {
  const lacking = await incompleteUpdates(context.git, replica.gitDir, updates, { signal });
  if (lacking.size === 0) return;
  const wanted = updates.filter(({ name }) => lacking.has(name));
  const tips = await readUnchangedTips(context.db, replica.id, head, TIPS_OFFERED);
  const fetch = (some: readonly RefUpdate[]) =>
    fetchObjects(context, replica, {
      wants: objectIds(some.map(({ newValue }) => newValue)),
      haves: objectIds([...some.map(({ oldValue }) => oldValue), ...tips]),
      version: head,
      writers: [writer],
      lookHere: true,
      prefer: undefined,
      onProgress: () => {},
      signal,
    }).then(
      () => undefined,
      (error: unknown) => {
        if (error instanceof LockstepError && error.code === "NO_SOURCE") return error;
        throw error;
      },
    );
  const nowhere = await fetch(wanted);
  if (nowhere === undefined) return;
  const missing: { update: RefUpdate; error: LockstepError }[] = [];
  for (const update of wanted.slice(0, APART_LIMIT)) {
    const error = wanted.length === 1 ? nowhere : await fetch([update]);
    if (error) missing.push({ update, error });
  }
  throw missingError(replica.name, version, missing, wanted.length > APART_LIMIT);
}

function missingError(
  repository: string,
  version: Version,
  missing: readonly { update: RefUpdate; error: LockstepError }[],
  more: boolean,
): LockstepError {
  const each = missing.map(({ update: { name, newValue } }) => `${displayRef(name)} (${String(newValue)})`);
  const said = missing[0] === undefined ? "" : `. ${describe(missing[0].error).replace(/\.$/, "")}`;
  return undoRefusedError(
    repository,
    version,
    `no device could send the objects that its earlier refs need: ${each.join(", ")}${more ? " and more" : ""}; ` +
      `nothing was changed, start the devices that are away and ask again${said}`,
    missing.map(({ update }) => update.name),
  );
}

/** Makes the error UNDO_REFUSED. `why` also says what to do. `refs`: those that are the reason. */
export function undoRefusedError(
  repository: string,
  version: Version,
  why: string,
  refs: readonly RefName[],
): LockstepError {
  return new LockstepError("UNDO_REFUSED", `Version ${version} of ${repository} cannot be undone: ${why}.`, {
    details: { repository, version: String(version), refs: refs.map(displayRef).join(" ") },
  });
}
