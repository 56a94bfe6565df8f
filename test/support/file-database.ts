// The database of a test file, with the schema, and the connections of two machines to it.
import { afterAll, beforeAll } from "vitest";
import { Database } from "../../src/store/database/database.ts";
import { migratedDatabase, type TestDatabase } from "./database.ts";

// `makeDatabaseOfFile` sets these before the first test of its file.
export let database: TestDatabase;
export let db: Database;
/** The connections of a second machine. */
export let elsewhere: Database;

/** Makes a database before the tests of the calling file and drops it afterwards. */
export function makeDatabaseOfFile(): void {
  beforeAll(async () => {
    database = await migratedDatabase();
    db = new Database({ url: database.url, applicationName: "here" });
    elsewhere = new Database({ url: database.url, applicationName: "elsewhere" });
  });
  afterAll(async () => {
    await Promise.all([db?.[Symbol.asyncDispose](), elsewhere?.[Symbol.asyncDispose]()]);
    await database?.[Symbol.asyncDispose]();
  });
}
