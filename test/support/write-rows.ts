// What writes leave in the database of a test cluster, and the statements that decide them.
import type { TestCluster } from "./sync-cluster.ts";

/** Whether a statement decides a write. */
export const isBump = (text: string) => text.includes("lockstep.bump(");
/** Whether a statement asks what became of a write. */
export const isSettle = (text: string) => text.includes("lockstep.settle_write(");

/** What became of every write, in the order of their beginnings. */
export async function writes(cluster: TestCluster) {
  return await cluster.sql<{ status: string; version: string | null; drop_reason: string | null }>(
    "select status, version, drop_reason from lockstep.write order by started_at",
  );
}

/** Every version with the refs that it changed. */
export async function log(cluster: TestCluster) {
  return await cluster.sql<{ version: string; device: string; author: string; names: string[] }>(
    `select l.version, l.device, l.author, array_agg(convert_from(u.name, 'UTF8') order by u.name) as names
     from lockstep.ref_log l join lockstep.ref_log_update u using (repository_id, version)
     group by 1, 2, 3 order by 1`,
  );
}
