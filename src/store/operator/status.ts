// Finds the repositories that an operator may want to look at.
import type { Database } from "../database/database.ts";
import { type RepositoryStatus, readStatusPart } from "./status-parts.ts";

/** Repositories that one statement looks at. */
export const STATUS_PART = 2_000;

/**
 * Returns at most `limit` repositories that are not at rest, by name. Each of these counts.
 * - A replica is behind or broken.
 * - Fewer than two devices have the head.
 * - A write is under way.
 * - Its own writes are stopped, not only all writes.
 * - All its use is stopped.
 *
 * Only replicas on devices that shall hold the repository count. So none counts on a device that drains or was removed.
 * No statement looks at all repositories: with a million replicas it would take longer than statements may.
 */
export async function listStatus(db: Database, limit: number): Promise<RepositoryStatus[]> {
  const found: RepositoryStatus[] = [];
  let after: string | null = "";
  while (after !== null && found.length < limit) {
    const part = await readStatusPart(db, { after, look: STATUS_PART, limit: STATUS_PART, restless: true });
    found.push(...part.repositories.slice(0, limit - found.length));
    after = part.looked < STATUS_PART ? null : part.last;
  }
  return found;
}
