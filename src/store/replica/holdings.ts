// Which repositories a device may be given: those that it holds, or should hold.
import { HELD } from "../../replica-states.ts";
import { type Database, queryRepeatable, queryRepeatableRow } from "../database/database.ts";

/** A repository by its id or by its name. */
export type Which = { readonly id: string } | { readonly name: string };

/** Returns true if the device holds the repository or should hold it. undefined: there is no such repository. */
export async function findHolding(db: Database, device: string, which: Which): Promise<boolean | undefined> {
  const [row] = await queryRepeatable<{ held: boolean }>(
    db.work,
    `select exists (select from lockstep.replica p
       where p.repository_id = r.id and p.device = $1 and p.state in ${HELD}) as held
     from lockstep.repository r where ${"id" in which ? "r.id = $2" : "r.name = $2"}`,
    [device, "id" in which ? which.id : which.name],
  );
  return row?.held;
}

/**
 * Returns true if a live sidecar of the device may be about to write the repository. Others copy objects only for such
 * a device.
 */
export async function mayWrite(db: Database, device: string, repositoryId: string): Promise<boolean> {
  const { may } = await queryRepeatableRow<{ may: boolean }>(
    db.work,
    `select exists (select from lockstep.device d
       join lockstep.replica p on p.device = d.name and p.repository_id = $2 and p.state = 'active'
       where d.name = $1 and d.expires_at > clock_timestamp() and d.revoked_at is null and d.removed_at is null
         -- A session that began before the device was taken from writes may still land.
         and (d.writes and d.draining_since is null or exists (
           select from lockstep.write w where w.repository_id = $2 and w.device = $1 and w.status = 'staged'))) as may`,
    [device, repositoryId],
  );
  return may;
}
