// Finds commands of the queue, for people and for the sidecar that carries them out.
import type { ReplicaState } from "../../domain.ts";
import { LockstepError } from "../../errors.ts";
import { type Database, queryRepeatable, queryRepeatableRow } from "../database/database.ts";
import { intervalMs } from "../database/instant.ts";
import { COLUMNS, type Command, type CommandState, commandOf, JOINS } from "./commands.ts";

export interface CommandFilter {
  readonly ids?: readonly string[];
  /** Empty: of all repositories. */
  readonly repository?: string;
  /** Empty: of all devices. */
  readonly device?: string;
  /** Empty: in every state. */
  readonly states?: readonly CommandState[];
  /** Only commands with a lower ordinal. */
  readonly before?: bigint | null;
  readonly limit: number;
}

/** Returns commands, newest first. */
export async function listCommands(db: Database, filter: CommandFilter): Promise<Command[]> {
  const rows = await queryRepeatable(
    db.work,
    `select ${COLUMNS} from lockstep.command c ${JOINS}
     where ($1::uuid[] is null or c.id = any($1)) and ($2 = '' or c.subject = coalesce((select id::text from lockstep.repository where name = $2), $2))
       and ($3 = '' or c.device = $3) and (cardinality($4::text[]) = 0 or c.state = any($4))
       and ($5::bigint is null or c.ordinal < $5)
     order by c.ordinal desc limit $6`,
    [
      filter.ids ?? null,
      filter.repository ?? "",
      filter.device ?? "",
      filter.states ?? [],
      filter.before ?? null,
      filter.limit,
    ],
  );
  return rows.map(commandOf);
}

/** Returns the command of that id. Throws COMMAND_NOT_FOUND. */
export async function findCommand(db: Database, id: string): Promise<Command> {
  const [command] = await listCommands(db, { ids: [id], limit: 1 });
  if (command) return command;
  throw new LockstepError(
    "COMMAND_NOT_FOUND",
    `There is no command ${id}; \`lockstep command list\` shows the ones that are kept.`,
  );
}

/** This device's replica of a repository, as a command finds it. */
export interface CommandedReplica {
  readonly id: string;
  readonly name: string;
  readonly objectFormat: "sha1" | "sha256";
  readonly state: ReplicaState;
  /** For how long one update may run. null: the default. */
  readonly updateLimitMs: number | null;
  /** The repository was removed, so the replica is only released and destroyed. */
  readonly removed: boolean;
}

/** Returns this device's replica of a repository. undefined: it has none. */
export async function commandedReplica(
  db: Database,
  device: string,
  repositoryId: string,
): Promise<CommandedReplica | undefined> {
  const [row] = await queryRepeatable<CommandedReplica & { [column: string]: unknown }>(
    db.work,
    `select r.id, r.name, r.object_format as "objectFormat", p.state,
       ${intervalMs("r.update_limit")} as "updateLimitMs", r.removed_at is not null as removed
     from lockstep.replica p join lockstep.repository r on r.id = p.repository_id
     where p.device = $1 and p.repository_id = $2`,
    [device, repositoryId],
  );
  return row;
}

/** The open commands of a device. */
export interface QueueDepth {
  readonly queued: number;
  readonly running: number;
  /** For how many seconds the oldest due command has waited. */
  readonly oldestSeconds: number;
}

/** Returns how many commands of this device wait or run. */
export async function queueDepth(db: Database, device: string): Promise<QueueDepth> {
  return await queryRepeatableRow<QueueDepth & { [column: string]: unknown }>(
    // Its answer says that the database is up, so it must not wait behind long statements.
    db.reads,
    `select count(*) filter (where c.state = 'queued')::int as queued,
       count(*) filter (where c.state = 'running')::int as running,
       coalesce(extract(epoch from max(clock_timestamp() - c.due_at)
         filter (where c.state = 'queued' and c.due_at <= clock_timestamp())), 0)::float8 as "oldestSeconds"
     from lockstep.command c where c.device = $1 and c.state in ('queued', 'running')`,
    [device],
  );
}
