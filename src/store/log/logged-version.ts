// One version of the log with all its updates, and what became of their refs since.
import { nameFromBytes, type RefUpdate, type RefValue, type Version, valueFromBytes } from "../../domain.ts";
import { type Database, queryRepeatable } from "../database/database.ts";
import { epochMs } from "../database/instant.ts";
import type { LogEntry } from "./list-log.ts";

/** An update of a version. `value` is that of its ref at the head. */
export type PastUpdate = RefUpdate & { readonly value: RefValue | null };

export interface LoggedVersion {
  readonly head: Version;
  /** The log has lost its versions up to this one. */
  readonly logBase: Version;
  /** undefined: the log does not have that version. */
  readonly entry: Omit<LogEntry, "updates" | "more"> | undefined;
  /** In the order of names. */
  readonly updates: readonly PastUpdate[];
}

/** Returns a version as the log has it now, and the refs at the head, as of one moment. undefined: no repository. */
export async function readLoggedVersion(
  db: Database,
  repositoryId: string,
  version: Version,
): Promise<LoggedVersion | undefined> {
  const rows = await queryRepeatable<{
    head: bigint;
    log_base: bigint;
    version: bigint | null;
    write_id: string;
    device: string;
    author: string;
    landed_at: bigint;
    name: Buffer | null;
    old_value: Buffer | null;
    new_value: Buffer | null;
    value: Buffer | null;
  }>(
    db.work,
    // `offset 0` keeps PostgreSQL from a join, for which it may read all refs.
    `select r.head_version as head, r.log_base, l.version, l.write_id, l.device, l.author, ${epochMs("l.landed_at")} as landed_at,
       u.name, u.old_value, u.new_value, f.value
     from lockstep.repository r
     left join lockstep.ref_log l on l.repository_id = r.id and l.version = $2
     left join lockstep.ref_log_update u on u.repository_id = r.id and u.version = $2
     left join lateral (
       select * from lockstep.repository_ref f where f.repository_id = r.id and f.name = u.name offset 0) f on true
     where r.id = $1 order by u.name`,
    [repositoryId, version],
  );
  const [first] = rows;
  if (first === undefined) return undefined;
  const { head, log_base: logBase, write_id: writeId, device, author, landed_at } = first;
  if (first.version === null) return { head, logBase, entry: undefined, updates: [] };
  const updates = rows.flatMap(({ name, old_value, new_value, value }) =>
    name === null
      ? []
      : {
          name: nameFromBytes(name),
          oldValue: valueFromBytes(old_value),
          newValue: valueFromBytes(new_value),
          value: valueFromBytes(value),
        },
  );
  return { head, logBase, entry: { version, writeId, device, author, landedAt: new Date(Number(landed_at)) }, updates };
}
