import type { Version } from "../../src/domain.ts";
import type { TestCluster } from "./sync-cluster.ts";

type Sql = Pick<TestCluster, "sql">;

/**
 * Sets the rows of the repository back to `version`, as after a fail-over to a standby that lagged. Nothing of later
 * versions is left in the database.
 */
export async function loseWrites(cluster: Sql, repository: string, version: Version): Promise<void> {
  const [found] = await cluster.sql<{ id: string }>("select id from lockstep.repository where name = $1", [repository]);
  const touched = await cluster.sql<{ name: Buffer; value: Buffer | null }>(
    `select name, (array_agg(old_value order by version))[1] as value from lockstep.ref_log_update
     where repository_id = $1 and version > $2 group by name`,
    [found?.id, version],
  );
  for (const { name, value } of touched) {
    await cluster.sql("delete from lockstep.repository_ref where repository_id = $1 and name = $2", [found?.id, name]);
    if (value) await cluster.sql("insert into lockstep.repository_ref values ($1, $2, $3)", [found?.id, name, value]);
  }
  await cluster.sql("delete from lockstep.ref_log where repository_id = $1 and version > $2", [found?.id, version]);
  await cluster.sql("delete from lockstep.write where repository_id = $1 and version > $2", [found?.id, version]);
  await cluster.sql("update lockstep.replica set version = least(version, $2) where repository_id = $1", [
    found?.id,
    version,
  ]);
  await cluster.sql(
    `update lockstep.repository r set head_version = $2,
       head_digest = (select digest from lockstep.ref_log l where l.repository_id = r.id and l.version = $2) where id = $1`,
    [found?.id, version],
  );
}
