// A database that cannot be used because of what is in its URL: the sentence says what to correct, and not to try again.
import { expect, inject, it } from "vitest";
import { Database, query } from "../../src/store/database.ts";
import { inspectDatabase, migrate } from "../../src/store/migrate.ts";
import { databaseUrl } from "../support/administer.ts";

function withUser(user: string, password: string): string {
  const url = new URL(inject("postgresUrl"));
  url.username = user;
  url.password = password;
  return url.href;
}

const WAYS: readonly [string, (url: string) => Promise<unknown>][] = [
  ["migrate", migrate],
  ["doctor", inspectDatabase],
  [
    "a statement",
    async (url) => {
      await using db = new Database({ url, applicationName: "wrong url" });
      return await query(db.work, "select 1");
    },
  ],
];

it.each(WAYS)("tells %s about a user or a password that is wrong", async (_, use) => {
  // A server that trusts everybody asks for no password, and refuses a user that it does not know.
  const refused = use(withUser("no_such_user", "guessed"));
  await expect(refused).rejects.toMatchObject({
    code: "DATABASE_UNAVAILABLE",
    message: expect.stringMatching(
      /^The database refuses the connection \(.*no_such_user.*\); (correct the user or the password|let this user in) .*in the database URL \(LOCKSTEP_DATABASE_URL, --database-url or the file of --database-url-file\)\.$/,
    ),
  });
  await expect(refused).rejects.not.toMatchObject({ message: expect.stringMatching(/guessed|try again/) });
});

it.each(WAYS)("tells %s about a database that does not exist", async (_, use) => {
  await expect(use(databaseUrl(inject("postgresUrl"), "no_such_database"))).rejects.toMatchObject({
    code: "DATABASE_UNAVAILABLE",
    message: expect.stringMatching(/no_such_database.*; create that database, or correct its name in the database URL/),
  });
});
