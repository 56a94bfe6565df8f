// Answers other devices that ask what lies at the place of a repository on this disk. Reads, and changes nothing.

import { digestOf } from "../../digest.ts";
import { nameFromLatin1, type RefName, type Refs, type RefValue, toLatin1, valueFromLatin1 } from "../../domain.ts";
import { describe, LockstepError } from "../../errors.ts";
import { isTaken } from "../../git/beside/place.ts";
import { examineDirectory } from "../../git/replica/examine-directory.ts";
import { settingsOwner } from "../../git/replica/repository.ts";
import { readReplicaRecord } from "../../git/root/root-record.ts";
import { repositoryName } from "../../names.ts";
import type { SyncContext } from "../device/context.ts";
import { replicaPath } from "../device/replica.ts";
import { assertRoot } from "../place/assert-root.ts";

/** The question of another device. */
export interface DirectoryQuestion {
  readonly repository: string;
  /** In hex. If it is given, the answer has the digest of the refs. */
  readonly digestKey?: string;
  /** True: the answer has the refs too. */
  readonly refs?: boolean;
}

/** The note beside a directory that was a replica. */
export interface DirectoryNote {
  readonly repositoryId: string;
  /** Text, because JSON has no bigint. */
  readonly version: string;
  readonly digest: string;
}

/** What lies at the place of a repository on a device. */
export interface DirectoryAnswer {
  readonly path: string;
  /** False: nothing lies there. */
  readonly exists: boolean;
  /** Why it cannot become a replica. null: it can, or nobody asked. */
  readonly problem: string | null;
  /** In hex. */
  readonly digest: string | null;
  /** Each name and value is a string of its bytes. */
  readonly refs: readonly (readonly [name: string, value: string])[] | null;
  readonly note: DirectoryNote | null;
}

/** Answers a question, which comes from another device. Throws INVALID_REQUEST, INVALID_NAME, ROOT_GONE. */
export async function lookAtDirectory(
  context: SyncContext,
  question: unknown,
  signal: AbortSignal,
): Promise<DirectoryAnswer> {
  const { repository, digestKey, refs: wantsRefs } = checkedQuestion(question);
  await assertRoot(context);
  const path = replicaPath(context.root, repository);
  const nothing = { path, problem: null, digest: null, refs: null, note: null };
  if (!(await isTaken(path))) return { ...nothing, exists: false };
  if (digestKey === undefined) return { ...nothing, exists: true };
  const note = await noteBeside(path);
  try {
    const { refs } = await examineDirectory(context.git, path, { objects: false, signal });
    const digest = digestOf(Buffer.from(digestKey, "hex"), refs).toString("hex");
    const sent = wantsRefs ? [...refs].map(([name, value]) => [toLatin1(name), toLatin1(value)] as const) : null;
    return { path, exists: true, problem: null, digest, refs: sent, note };
  } catch (error) {
    signal.throwIfAborted();
    return { ...nothing, exists: true, problem: describe(error), note };
  }
}

/** Returns the note of a directory that has the settings of the same replica. null: it has none. */
export async function noteBeside(path: string): Promise<DirectoryNote | null> {
  const [owner, note] = await Promise.all([settingsOwner(path), readReplicaRecord(path)]);
  if (owner === undefined || note?.repositoryId !== owner) return null;
  return { repositoryId: owner, version: String(note.version), digest: note.digest };
}

/** Returns the refs of an answer. */
export function refsOf({ refs }: DirectoryAnswer): Refs {
  return new Map<RefName, RefValue>(
    (refs ?? []).map(([name, value]) => [nameFromLatin1(name), valueFromLatin1(value)]),
  );
}

function checkedQuestion(question: unknown): DirectoryQuestion {
  const { repository, digestKey, refs } = (question ?? {}) as Partial<Record<keyof DirectoryQuestion, unknown>>;
  const isKey = digestKey === undefined || (typeof digestKey === "string" && /^[0-9a-f]{64}$/.test(digestKey));
  if (typeof repository === "string" && isKey)
    return { repository: repositoryName(repository), ...(digestKey && { digestKey }), refs: refs === true };
  throw new LockstepError(
    "INVALID_REQUEST",
    "A question about a directory is malformed; run the same version of Lockstep on all devices.",
  );
}
