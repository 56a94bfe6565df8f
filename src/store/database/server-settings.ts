// Checks the settings of PostgreSQL without which this program would do wrong. A statement brings its own settings
// where it can (statement.ts), and times travel as numbers (instant.ts). If one of the other settings is wrong, the
// program refuses to start. No operator needs these otherwise.
import type pg from "pg";
import { LockstepError } from "../../errors.ts";

interface Need {
  readonly name: string;
  readonly wrong: (setting: string) => boolean;
  readonly because: string;
  /** The right setting. */
  readonly value: string;
}

/** A decision may be large, and must not be ended half-way each time. */
const SHORTEST_TRANSACTION_MS = 60_000;
/** SQL_ASCII keeps all bytes as they come. */
const HOLDS_ALL = ["UTF8", "SQL_ASCII"];
const QUIET = ["error", "fatal", "panic"];

const NEEDS: readonly Need[] = [
  {
    name: "array_nulls",
    wrong: (setting) => setting === "off",
    because: "a ref that does not exist would be taken for one that holds NULL",
    value: "on",
  },
  {
    name: "client_min_messages",
    wrong: (setting) => QUIET.includes(setting),
    because: "the server would not say that it stopped waiting for a standby",
    value: "notice",
  },
  {
    name: "session_replication_role",
    wrong: (setting) => setting === "replica",
    because: "foreign keys and triggers would not be obeyed",
    value: "origin",
  },
  {
    name: "zero_damaged_pages",
    wrong: (setting) => setting === "on",
    because: "PostgreSQL would take a damaged page for an empty one, and forget what it held",
    value: "off",
  },
  {
    name: "ignore_checksum_failure",
    wrong: (setting) => setting === "on",
    because: "PostgreSQL would read damaged pages as if they were whole",
    value: "off",
  },
  {
    name: "transaction_timeout",
    wrong: (setting) => Number(setting) > 0 && Number(setting) < SHORTEST_TRANSACTION_MS,
    because: "a large push could never land",
    value: "0",
  },
];

/** Throws PREREQUISITE_MISSING for the first setting that is wrong for this user in this database. */
export async function refuseWrongSettings(client: Pick<pg.ClientBase, "query">): Promise<void> {
  const { rows } = await client.query<{ name: string; setting: string; role: string; database: string }>(
    `select name, setting, current_user as role, current_database() as database from pg_settings
     where name = 'server_encoding' or name = any($1)`,
    [NEEDS.map(({ name }) => name)],
  );
  const encoding = rows.find(({ name }) => name === "server_encoding");
  if (encoding && !HOLDS_ALL.includes(encoding.setting)) {
    throw new LockstepError(
      "PREREQUISITE_MISSING",
      `The database ${encoding.database} has the encoding ${encoding.setting}, which cannot hold every text; create one with \`create database … encoding 'UTF8' template template0\`.`,
    );
  }
  for (const { name, wrong, because, value } of NEEDS) {
    const found = rows.find((row) => row.name === name);
    if (found === undefined || !wrong(found.setting)) continue;
    throw new LockstepError(
      "PREREQUISITE_MISSING",
      `PostgreSQL has ${name} = ${found.setting} for this user, so that ${because}; \`alter role ${found.role} in database ${found.database} set ${name} = ${value}\`, and end its old connections where a pooler keeps them.`,
      { details: { setting: name, value: found.setting } },
    );
  }
}
