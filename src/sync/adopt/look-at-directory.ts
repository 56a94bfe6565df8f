// Answers other devices that ask what lies at the place of a repository on this disk. Reads, and changes nothing.
import { repositoryName } from "../../domain.ts";
import { LockstepError } from "../../errors.ts";
import { exists } from "../../io/disk.ts";
import { assertRoot } from "../device/assert-root.ts";
import type { SyncContext } from "../device/context.ts";
import { replicaPath } from "../device/replica.ts";

/** The question of another device. */
export interface DirectoryQuestion {
  readonly repository: string;
}

/** What lies at the place of a repository on a device. */
export interface DirectoryAnswer {
  readonly path: string;
  /** False: nothing lies there. */
  readonly exists: boolean;
}

/** Answers a question, which comes from another device. Throws INVALID_REQUEST, INVALID_NAME, ROOT_GONE. */
export async function lookAtDirectory(
  context: SyncContext,
  question: unknown,
  _signal: AbortSignal,
): Promise<DirectoryAnswer> {
  const { repository } = checkedQuestion(question);
  await assertRoot(context);
  const path = replicaPath(context.root, repository);
  return { path, exists: await exists(path) };
}

function checkedQuestion(question: unknown): DirectoryQuestion {
  const { repository } = (question ?? {}) as Partial<Record<keyof DirectoryQuestion, unknown>>;
  if (typeof repository === "string") return { repository: repositoryName(repository) };
  throw new LockstepError("INVALID_REQUEST", "The question about a directory names no repository.");
}
