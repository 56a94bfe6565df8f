// The times that operators have set for how long rows and files are kept.

import { type Database, queryRepeatable } from "../database/database.ts";
import type { Keep, SubjectName } from "./subjects.ts";

/** Returns the times that operators have set, by subject, as they wrote them. */
export async function readKeeps(db: Database): Promise<Map<string, string>> {
  const rows = await queryRepeatable<{ name: string; keep: string }>(
    db.work,
    "select name, value #>> '{}' as keep from lockstep.setting where name like 'keep.%'",
  );
  return new Map(rows.map(({ name, keep }) => [name.slice("keep.".length), keep]));
}

/** Sets for how long a subject is kept; null: for its default. The author is in the audit. */
export async function setKeep(db: Database, subject: SubjectName, keep: string | null, author: string): Promise<void> {
  await queryRepeatable(
    db.work,
    `with gone as (delete from lockstep.setting where name = 'keep.' || $1 and $2::text is null),
     made as (
       insert into lockstep.setting (name, value, author) select 'keep.' || $1, to_jsonb($2::text), $3 where $2::text is not null
       on conflict (name) do update set value = excluded.value, author = excluded.author, changed_at = clock_timestamp())
     insert into lockstep.audit (author, action, detail) values ($3, 'set retention', json_build_object('subject', $1::text, 'keep', $2::text))`,
    [subject, keep, author],
  );
}

/** Sets how much of its log a repository keeps; null: as the cluster does. A device looks at it at once. */
export async function setKeepLog(db: Database, repository: string, keep: Keep | null): Promise<void> {
  await queryRepeatable(db.work, "select lockstep.set_keep_log($1, $2, $3)", [
    repository,
    keep?.versions ?? null,
    keep?.days ?? null,
  ]);
}
