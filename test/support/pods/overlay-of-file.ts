// Starts an overlay for the tests of one file, on a database of its own.
import { afterAll, beforeAll } from "vitest";
import { createDatabase, type TestDatabase } from "../database.ts";
import { Overlay, type OverlayOptions } from "./overlay.ts";

/** The name under which the pods reach the database. */
const HOST = "postgres.example.com";

// `startOverlayOfFile` sets this before the first test of its file.
export let overlay: Overlay;

/**
 * Starts the pods before the tests of the calling `describe` and stops them afterwards. The options get the places of the
 * block "secrets" for the database.
 */
export function startOverlayOfFile(
  options: (places: Readonly<Record<string, string>>) => Omit<OverlayOptions, "databaseUrl" | "databaseHost">,
): void {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createDatabase();
    const { username, password, pathname } = new URL(database.url);
    const url = `postgres://${username}:${password}@${HOST}${pathname}`;
    const places = { [`postgres://lockstep:PASSWORD@${HOST}/lockstep`]: url };
    overlay = await Overlay.start({ ...options(places), databaseUrl: database.url, databaseHost: HOST });
  });
  afterAll(async () => {
    await overlay?.[Symbol.asyncDispose]();
    await database?.[Symbol.asyncDispose]();
  });
}
