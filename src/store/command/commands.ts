// The queue of commands. A row asks one device to do something with its replica. The sidecar of that device carries it
// out and records one outcome.
import { randomUUID } from "node:crypto";
import type { Incarnation } from "../../domain.ts";
import { LockstepError } from "../../errors.ts";
import { type Database, queryOnce, queryRepeatable, queryRepeatableRow } from "../database/database.ts";
import { dated, epochMs } from "../database/instant.ts";
import { AWAY_SINCE } from "../device/device-lease.ts";

/** Every command that a device can be asked for. */
export const COMMANDS = [
  "provision",
  "adopt",
  "sync",
  "verify",
  "repair",
  "gc",
  "rename",
  "release",
  "destroy",
] as const;
export type CommandName = (typeof COMMANDS)[number];

/** `superseded`: when its turn came there was nothing left to do, or the device was removed. */
export type CommandState = "queued" | "running" | "done" | "failed" | "superseded";

/** A command that an operator or a daemon may undo by another one. A daemon waits before it does. */
const OPPOSITES: Partial<Record<CommandName, CommandName>> = { provision: "release", release: "provision" };

/** For so many seconds a daemon does not undo a command that changed a replica. */
export const REST_S = 180;

export interface Command {
  readonly id: string;
  /** Grows with every command. */
  readonly ordinal: bigint;
  /** null: of a repository that the database does not know yet. */
  readonly repositoryId: string | null;
  /** The name of the repository as it is now. */
  readonly repository: string;
  readonly device: string;
  readonly command: CommandName;
  readonly arguments: Readonly<Record<string, unknown>>;
  readonly state: CommandState;
  readonly author: string;
  readonly reason: string;
  /** How often it was started. */
  readonly attempts: number;
  /** How many attempts met an error that somebody has to mend. */
  readonly failures: number;
  readonly lastError: string | null;
  /** What it did. null: it has not ended. */
  readonly outcome: Readonly<Record<string, unknown>> | null;
  readonly createdAt: Date;
  readonly startedAt: Date | null;
  readonly endedAt: Date | null;
  /** When it may be started. */
  readonly dueAt: Date;
  /** True while a sidecar holds the lease of the device. */
  readonly live: boolean;
  /** When the device went away. null: it is live, or was never live. */
  readonly awaySince: Date | null;
}

export interface CommandRequest {
  /** null: the database does not know the repository yet. */
  readonly repositoryId: string | null;
  readonly repository: string;
  readonly device: string;
  readonly command: CommandName;
  readonly arguments?: Readonly<Record<string, unknown>>;
  readonly author: string;
  readonly reason?: string;
  /** True: a daemon asks. It may have to rest before it undoes what another command did. */
  readonly daemon?: boolean;
}

/**
 * Adds a command, or joins an equal one that nobody has started, and returns its id. The caller announces it
 * (`notifyCommands`). Throws DEVICE_NOT_FOUND.
 */
export async function enqueueCommand(db: Database, request: CommandRequest): Promise<string> {
  const opposite = request.daemon ? (OPPOSITES[request.command] ?? "") : null;
  const [row] = await queryRepeatable<{ id: string }>(
    db.work,
    `select c.id from lockstep.device d, lockstep.order_command(
       $1, $2, $3, d.name, $5, $6::jsonb, $7, $8, $9, make_interval(secs => $10)) c where d.name = $4 and d.removed_at is null`,
    [
      randomUUID(),
      request.repositoryId,
      request.repository,
      request.device,
      request.command,
      JSON.stringify(request.arguments ?? {}),
      request.author,
      request.reason ?? "",
      opposite,
      REST_S,
    ],
  );
  if (row) return row.id;
  throw new LockstepError(
    "DEVICE_NOT_FOUND",
    `The device ${request.device} has never registered; \`lockstep status\` lists the ones there are.`,
  );
}

/** Tells the sidecars of these devices that they have new commands. Without this they find them by polling. */
export async function notifyCommands(db: Database, devices: readonly string[]): Promise<void> {
  await queryOnce(db.work, "select pg_notify('lockstep_command', device) from unnest($1::text[]) device", [
    [...new Set(devices)],
  ]);
}

/**
 * - heavy: a command that works on a whole repository.
 * - first: another command, not tried yet.
 * - again: another command, tried before.
 */
export type Lane = "heavy" | "first" | "again";

/**
 * Starts the next due command of a lane of this device and returns it. undefined: there is none. After an error the
 * caller repeats the call with the same `attempt`, because the command may have been started.
 */
export async function startCommand(
  db: Database,
  me: Incarnation,
  lane: Lane,
  attempt: string,
): Promise<Command | undefined> {
  const [row] = await queryRepeatable(
    db.work,
    `select ${COLUMNS} from lockstep.start_command($1, $2, $3, $4) c ${JOINS}`,
    [me.device, me.fence, lane, attempt],
  );
  return row && commandOf(row);
}

export interface CommandEnd {
  /** queued: start it again after `delayMs`. */
  readonly state: "queued" | "done" | "failed" | "superseded";
  readonly outcome?: Readonly<Record<string, unknown>> | undefined;
  /** True: it changed the replica. */
  readonly changed?: boolean | undefined;
  readonly error?: string | undefined;
  /** True: somebody has to mend what it met. */
  readonly failure?: boolean | undefined;
  readonly delayMs?: number;
}

/** The most characters of an error that are kept. */
const ERROR_LIMIT = 2_000;

/**
 * Records how a running command ended. Returns false if this incarnation does not carry it out (any more). A repeated
 * call returns false too, so the caller reads the row when the outcome of a call is unknown.
 */
export async function endCommand(db: Database, me: Incarnation, id: string, end: CommandEnd): Promise<boolean> {
  const { ended } = await queryRepeatableRow<{ ended: boolean }>(
    db.work,
    "select lockstep.end_command($1, $2, $3, $4, $5::jsonb, $6, $7, make_interval(secs => $8), $9) as ended",
    [
      id,
      me.device,
      me.fence,
      end.state,
      end.outcome === undefined ? null : JSON.stringify(end.outcome),
      end.changed ?? false,
      end.error?.slice(0, ERROR_LIMIT) ?? null,
      (end.delayMs ?? 0) / 1000,
      end.failure ?? false,
    ],
  );
  return ended;
}

export const COLUMNS = `c.id, c.ordinal, c.repository_id as "repositoryId", coalesce(r.removed_name, r.name, c.repository) as repository, c.device,
  c.command, c.arguments, c.state, c.author, c.reason, c.attempts, c.failures, c.last_error as "lastError", c.outcome,
  ${epochMs("c.created_at")} as "createdAt", ${epochMs("c.started_at")} as "startedAt", ${epochMs("c.ended_at")} as "endedAt",
  ${epochMs("c.due_at")} as "dueAt", d.expires_at > clock_timestamp() as live, ${AWAY_SINCE} as "awaySince"`;
export const JOINS = `join lockstep.device d on d.name = c.device left join lockstep.repository r on r.id = c.repository_id`;

/** Makes a command of a row with `COLUMNS`. */
export function commandOf(row: { readonly [column: string]: unknown }): Command {
  return dated<Command>(row, "createdAt", "startedAt", "endedAt", "dueAt", "awaySince");
}
