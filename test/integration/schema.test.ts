import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
// @ts-expect-error: a plain program, which runs without a build.
import { describeSchema } from "../../scripts/schema.mjs";
import { administer } from "../support/administer.ts";
import { migratedDatabase } from "../support/database.ts";

const SNAPSHOT = new URL("../../docs/schema.txt", import.meta.url);

it("docs/schema.txt is the schema of a freshly migrated database", async () => {
  await using database = await migratedDatabase();
  const schema: string = await administer(database.url, describeSchema);
  expect(schema, "run `npm run build && npm run generate`, and look at what changes").toBe(
    readFileSync(SNAPSHOT, "utf8"),
  );
});

it.each([
  ["a column", "alter table lockstep.turn add extra integer not null default 3"],
  ["a default", "alter table lockstep.device alter zone set default 'here'"],
  ["a check", "alter table lockstep.turn add check (author <> '')"],
  ["an index", "create index extra on lockstep.turn (author)"],
  [
    "a trigger",
    "create trigger extra after delete on lockstep.sync_event execute function lockstep.trim_sync_events()",
  ],
  ["a sequence", "create sequence lockstep.extra"],
  ["a view", "create view lockstep.extra as select 1 as one"],
  [
    "a parameter",
    "create function lockstep.turn_holder(p_repository uuid, p_extra text) returns uuid language sql as 'select null::uuid'",
  ],
  ["a setting of a function", "alter function lockstep.bump set enable_seqscan = on"],
])("the schema as text shows %s", async (_, statement) => {
  await using database = await migratedDatabase();
  await administer(database.url, async (client) => {
    const before = await describeSchema(client);
    await client.query(statement);
    expect(await describeSchema(client)).not.toBe(before);
  });
});
