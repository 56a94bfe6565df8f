// Where the root of a device was when it was last served.
import type { Incarnation } from "../../domain.ts";
import { type Database, queryRepeatable } from "../database/database.ts";

export interface RootPlace {
  /** Absolute, as the operator gave it. */
  readonly path: string;
  /** The directory where the file system of the root begins. */
  readonly mount: string;
  /** Device number and inode of the root. */
  readonly place: string;
}

/** Returns where the root of a device was. undefined: nothing is recorded, or the device has no replica. */
export async function recordedRoot(db: Database, device: string): Promise<RootPlace | undefined> {
  const [row] = await queryRepeatable<{ path: string | null; mount: string | null; place: string | null }>(
    db.work,
    `select root_path as path, root_mount as mount, root_place as place from lockstep.device
     where name = $1 and (select true from lockstep.replica where device = $1 limit 1)`,
    [device],
  );
  const { path, mount, place } = row ?? {};
  return path && mount && place ? { path, mount, place } : undefined;
}

/** Records where the root is that this incarnation serves. */
export async function recordRoot(db: Database, me: Incarnation, { path, mount, place }: RootPlace): Promise<void> {
  await queryRepeatable(
    db.work,
    `update lockstep.device set root_path = $3, root_mount = $4, root_place = $5
     where name = $1 and fence = $2 and (root_path, root_mount, root_place) is distinct from ($3, $4, $5)`,
    [me.device, me.fence, path, mount, place],
  );
}
