// Devices as the database has them.
import { queryOnce } from "../../src/store/database/database.ts";
import { db } from "./file-database.ts";

export async function deviceRow(name: string): Promise<Record<string, unknown> | undefined> {
  const columns =
    "incarnation, fence, root_id, grpc_address, extract(epoch from expires_at) as expires_at, extract(epoch from expires_at - clock_timestamp())";
  const [row] = await queryOnce(db.work, `select ${columns}::float as left from lockstep.device where name = $1`, [
    name,
  ]);
  return row;
}
