import pg from "pg";
import { describe, expect, it } from "vitest";
import { administer } from "../support/administer.ts";
import { createDatabase, migratedDatabase } from "../support/database.ts";

async function read(url: string, expression: string): Promise<unknown> {
  return await administer(url, async (client) => (await client.query(`select ${expression} as value`)).rows[0]?.value);
}

describe("a test's database", () => {
  it("is empty, or has the schema, and is the test's own", async () => {
    await using empty = await createDatabase();
    await using migrated = await migratedDatabase();
    await using another = await migratedDatabase();
    expect(await read(empty.url, "to_regclass('lockstep.schema_level')")).toBeNull();
    expect(await read(migrated.url, "to_regclass('lockstep.schema_level')")).not.toBeNull();
    expect(await read(migrated.url, "current_database()")).not.toBe(await read(another.url, "current_database()"));
  });

  it("is dropped by its disposal, which names a connection that the test left open", async () => {
    const database = await createDatabase();
    const client = new pg.Client({ connectionString: database.url, application_name: "forgotten" });
    client.on("error", () => {});
    await client.connect();
    await expect(database[Symbol.asyncDispose]()).rejects.toThrow("left connections open: forgotten");
    await expect(read(database.url, "1")).rejects.toMatchObject({ code: "3D000" });
  });
});
