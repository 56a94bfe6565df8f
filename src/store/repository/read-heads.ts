// The heads of repositories, which every read asks for.
import type { ReplicaState, Version } from "../../domain.ts";
import { LockstepError } from "../../errors.ts";
import { type Database, queryRepeatableRow } from "../database/database.ts";
import { unavailableError } from "../database/sqlstate.ts";
import type { NoWrites } from "../replica/placement.ts";

/** The answer that a read needs, as of one moment after the read arrived. */
export interface Heads {
  /**
   * The fence of this device's live incarnation. If it is not that of this process, another process has replaced this
   * one.
   */
  readonly fence: bigint;
  /** The timeline of the server that answered. */
  readonly timeline: string;
  /** Why this device takes no writes. null: it takes them. */
  readonly noWrites: NoWrites | null;
  readonly byName: ReadonlyMap<string, Head>;
}

export interface Head {
  readonly id: string;
  readonly version: Version;
  /** The digest of the refs at that version, in hex. */
  readonly digest: string;
  readonly objectFormat: "sha1" | "sha256";
  /** The state of this device's replica. null: it has none. */
  readonly replicaState: ReplicaState | null;
  /** Why nobody may use the repository until an operator has decided. null: it may be used. */
  readonly stopped: string | null;
  /** Why writes to the repository are refused. null: they are allowed. */
  readonly writesStopped: string | null;
}

/** The answer of lockstep.read_heads. */
interface HeadsDocument {
  readonly fence: string;
  readonly timeline: string | null;
  readonly no_writes: NoWrites | null;
  readonly heads: [
    name: string,
    id: string,
    version: string,
    objectFormat: "sha1" | "sha256",
    state: ReplicaState | null,
    digest: string,
    stopped: string | null,
    writesStopped: string | null,
  ][];
}

/**
 * Reads the heads of many repositories in one statement on a read-write primary: a standby may lag behind the last
 * push. Names that are unknown are absent from the answer. Throws DATABASE_UNAVAILABLE, DEVICE_NOT_FOUND.
 */
export async function readHeads(db: Database, device: string, names: readonly string[]): Promise<Heads> {
  const { heads: found } = await queryRepeatableRow<{ heads: HeadsDocument | null }>(
    db.reads,
    "select lockstep.read_heads($1, $2) as heads",
    [device, names],
    { provesNothing: true },
  );
  if (found === null) {
    throw new LockstepError(
      "DEVICE_NOT_FOUND",
      `The database has no device ${device}, so it is not the database with which this sidecar started; see whether its URL is right.`,
    );
  }
  if (found.timeline === null) throw unavailableError("it is a standby, which may lag behind");
  const byName = new Map<string, Head>();
  for (const [name, id, version, objectFormat, replicaState, digest, stopped, writesStopped] of found.heads)
    byName.set(name, { id, version: BigInt(version), digest, objectFormat, replicaState, stopped, writesStopped });
  return { fence: BigInt(found.fence), timeline: found.timeline, noWrites: found.no_writes, byName };
}
