// Settings of the database with which Lockstep would lose writes or stop: it refuses to serve.
import { describe, expect, it } from "vitest";
import { Database } from "../../src/store/database/database.ts";
import { inspectDatabase, migrate } from "../../src/store/database/migrate.ts";
import { administer } from "../support/administer.ts";
import { createDatabase, migratedDatabase } from "../support/database.ts";
import { setDefaults } from "../support/database-defaults.ts";
import { incarnation } from "../support/store-rows.ts";

describe("settings that would do harm", () => {
  it.each([
    ["array_nulls", "off"],
    ["client_min_messages", "error"],
    ["session_replication_role", "replica"],
    ["zero_damaged_pages", "on"],
    ["ignore_checksum_failure", "on"],
    ["transaction_timeout", "500"],
  ])("%s = %s is refused before anything is served, with a remedy", async (setting, value) => {
    await using database = await migratedDatabase();
    await setDefaults(database.url, { [setting]: value });
    for (const look of [migrate, inspectDatabase])
      await expect(look(database.url)).rejects.toMatchObject({
        code: "PREREQUISITE_MISSING",
        message: expect.stringMatching(
          new RegExp(`has ${setting} = ${value} .*alter role \\w+ in database \\w+ set ${setting} = `),
        ),
      });
  });

  it("a database whose encoding cannot hold every text is refused", async () => {
    await using database = await createDatabase();
    const name = new URL(database.url).pathname.slice(1);
    await administer(database.url.replace(`/${name}`, "/postgres"), async (client) => {
      await client.query(`drop database ${name}`);
      await client.query(`create database ${name} encoding 'LATIN1' template template0 lc_collate 'C' lc_ctype 'C'`);
    });
    await expect(migrate(database.url)).rejects.toMatchObject({
      code: "PREREQUISITE_MISSING",
      message: expect.stringMatching(/has the encoding LATIN1, which cannot hold every text; .*encoding 'UTF8'/),
    });
  });

  it("a database that takes no writes says what it is, and is not called unreachable", async () => {
    await using database = await migratedDatabase();
    await setDefaults(database.url, { default_transaction_read_only: "on" });
    await using db = new Database({ url: database.url, applicationName: "odd" });
    await expect(incarnation(db)).rejects.toMatchObject({
      code: "DATABASE_UNAVAILABLE",
      message: expect.stringMatching(/read-only transaction\); it takes no writes, .*default_transaction_read_only/),
    });
  });
});
