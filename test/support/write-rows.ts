// Reads the rows of writes in the database of a test cluster, and recognises the statements that decide them.
import type { TestCluster } from "./sync-cluster.ts";

/** Returns whether a statement decides a write. */
export const isBump = (text: string) => text.includes("lockstep.bump(");
/** Returns whether a statement decides several writes. */
export const isBumpTogether = (text: string) => text.includes("lockstep.bump_together(");
/** Returns whether a statement asks for the outcome of a write. */
export const isSettle = (text: string) => text.includes("lockstep.settle_write(");

/** Returns the status of every write, in the order of their beginnings. */
export async function writes(cluster: TestCluster) {
  return await cluster.sql<{ status: string; version: string | null; drop_reason: string | null }>(
    "select status, version, drop_reason from lockstep.write order by started_at",
  );
}

/** Returns every version with the refs that it changed. */
export async function log(cluster: TestCluster) {
  return await cluster.sql<{ version: string; device: string; author: string; names: string[] }>(
    `select l.version, l.device, l.author, array_agg(convert_from(u.name, 'UTF8') order by u.name) as names
     from lockstep.ref_log l join lockstep.ref_log_update u using (repository_id, version)
     group by 1, 2, 3 order by 1`,
  );
}
