// Reads results that are too large for one statement: from a cursor, page by page, as of one moment. Each page has the
// time limit of a statement; all pages together have none. A cursor has one plan, which runs once. Pages that each
// begin anew are quadratic where PostgreSQL has no statistics yet, because it sorts all remaining rows for each of
// them. For the same reason the rows come in no order.
import type pg from "pg";
import { nameFromBytes, type RefName, type RefValue, type Version, valueFromBytes } from "../../domain.ts";
import type { Database } from "../database/database.ts";
import { inSnapshot, type QueryInSnapshot } from "../database/snapshot.ts";

/** Rows of a page. */
export const PAGE = 50_000;

/** One ref that was touched between two versions. */
export interface RefChange {
  readonly name: RefName;
  /** The value before the first of the changes: a replica at the older version has it. */
  readonly oldValue: RefValue | null;
  /** The value after the last of the changes. */
  readonly newValue: RefValue | null;
}

/** The write that gave a ref its value. */
export interface Origin {
  readonly version: Version;
  /** The devices that have its objects, whatever their replica rows say: they landed it, or got the objects before. */
  readonly devices: readonly string[];
}

export interface ChangesHeader extends pg.QueryResultRow {
  readonly head: bigint;
  readonly digest: Buffer;
  readonly digest_key: Buffer;
  readonly base: Buffer | null;
  readonly replicated: boolean;
  readonly timeline: string | null;
}

export interface LogEntries extends pg.QueryResultRow {
  readonly entries: bigint;
  readonly settled: boolean | null;
  readonly writers: string[] | null;
}

interface UpdateRow extends pg.QueryResultRow {
  readonly name: Buffer;
  readonly old_value: Buffer | null;
  readonly new_value: Buffer | null;
  readonly version: bigint;
  readonly devices: string[];
}

/**
 * Reads the changes after `since`, with the head and the entries of the log. undefined: there is no such repository.
 */
export async function readChangesInPages(
  db: Database,
  repositoryId: string,
  since: Version,
  page: number,
): Promise<
  { header: ChangesHeader; log: LogEntries; changes: RefChange[]; origins: Map<RefName, Origin> } | undefined
> {
  return await inSnapshot(db.work, async (ask) => {
    const [header] = await ask<ChangesHeader>(
      `select r.head_version as head, r.head_digest as digest, r.digest_key, b.digest as base, ${REPLICATED}
       from lockstep.repository r left join lockstep.ref_log b on b.repository_id = r.id and b.version = $2 where r.id = $1`,
      [repositoryId, since],
    );
    if (header === undefined) return undefined;
    const range = [repositoryId, since, header.head];
    const folded = new Map<
      RefName,
      { first: bigint; oldValue: RefValue | null; last: bigint; newValue: RefValue | null; devices: string[] }
    >();
    const updates = `select name, old_value, new_value, version,
        (select l.holders || l.device from lockstep.ref_log l where l.repository_id = u.repository_id and l.version = u.version) as devices
      from lockstep.ref_log_update u where repository_id = $1 and version > $2 and version <= $3`;
    for await (const row of rowsOf<UpdateRow>(ask, updates, range, page)) {
      const { version, devices } = row;
      const name = nameFromBytes(row.name);
      const [oldValue, newValue] = [valueFromBytes(row.old_value), valueFromBytes(row.new_value)];
      const known = folded.get(name);
      if (known === undefined) folded.set(name, { first: version, oldValue, last: version, newValue, devices });
      else {
        if (version < known.first) Object.assign(known, { first: version, oldValue });
        if (version > known.last) Object.assign(known, { last: version, newValue, devices });
      }
    }
    const changes = [...folded].map(([name, { oldValue, newValue }]) => ({ name, oldValue, newValue }));
    const origins = new Map([...folded].map(([name, { last, devices }]) => [name, { version: last, devices }]));
    return { header, log: await readEntries(ask, range, page), changes, origins };
  });
}

async function readEntries(ask: QueryInSnapshot, range: readonly unknown[], page: number): Promise<LogEntries> {
  const writers = new Set<string>();
  let [entries, settled] = [0n, false];
  const text = `select holders || device as holders, settles from lockstep.ref_log
    where repository_id = $1 and version > $2 and version <= $3`;
  for await (const row of rowsOf<{ holders: string[]; settles: boolean }>(ask, text, range, page)) {
    entries += 1n;
    settled ||= row.settles;
    for (const holder of row.holders) writers.add(holder);
  }
  return { entries, settled, writers: [...writers] };
}

export interface FoldHeader extends pg.QueryResultRow {
  readonly head: bigint;
  readonly digest: Buffer;
  readonly digest_key: Buffer;
  readonly replicated: boolean;
  readonly timeline: string | null;
}

/**
 * SQL columns. replicated: commits wait for a synchronous standby. timeline: the timeline of the server; null: it is a
 * standby.
 */
export const REPLICATED = `current_setting('synchronous_standby_names') <> '' as replicated,
  lockstep.current_timeline() as timeline`;

/** Reads the refs at the head, with its version and digest. undefined: there is no such repository. */
export async function readFoldInPages(
  db: Database,
  repositoryId: string,
  page: number,
): Promise<{ header: FoldHeader; refs: Map<RefName, RefValue> } | undefined> {
  return await inSnapshot(db.work, async (ask) => {
    const [header] = await ask<FoldHeader>(
      `select head_version as head, head_digest as digest, digest_key, ${REPLICATED}
       from lockstep.repository where id = $1`,
      [repositoryId],
    );
    if (header === undefined) return undefined;
    const refs = new Map<RefName, RefValue>();
    const text = "select name, value from lockstep.repository_ref where repository_id = $1";
    for await (const { name, value } of rowsOf<{ name: Buffer; value: Buffer }>(ask, text, [repositoryId], page))
      refs.set(nameFromBytes(name), valueFromBytes(value) as RefValue);
    return { header, refs };
  });
}

async function* rowsOf<Row extends pg.QueryResultRow>(
  ask: QueryInSnapshot,
  text: string,
  values: readonly unknown[],
  page: number,
): AsyncGenerator<Row> {
  await ask(`declare page no scroll cursor for ${text}`, values);
  for (
    let rows = await ask<Row>(`fetch ${page} from page`, []);
    rows.length > 0;
    rows = await ask(`fetch ${page} from page`, [])
  )
    yield* rows;
  await ask("close page", []);
}
