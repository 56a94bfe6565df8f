// What the database will say again the next time is told at once, as what it is: neither as a race nor as an outage.
import { describe, expect, it } from "vitest";
import { Database } from "../../src/store/database/database.ts";
import { takeTurn } from "../../src/store/write/turns.ts";
import { stageWrite } from "../../src/store/write/writes.ts";
import { administer } from "../support/administer.ts";
import { migratedDatabase } from "../support/database.ts";
import { incarnation, repository } from "../support/store-rows.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change, type TestDevice } from "../support/sync-device.ts";
import { writes } from "../support/write-rows.ts";

const APP = "team/app";

/** Every decision fails with that SQLSTATE; `times`: only so many. */
async function failDecisions(cluster: TestCluster, sqlstate: string, times = 1_000): Promise<void> {
  await cluster.sql("create sequence lockstep.failures");
  await cluster.sql(`create function lockstep.fail() returns trigger language plpgsql as $$ begin
    if nextval('lockstep.failures') <= ${times} then raise 'said by the server' using errcode = '${sqlstate}'; end if;
    return new; end $$`);
  await cluster.sql(
    "create trigger fail before insert on lockstep.ref_log for each row execute function lockstep.fail()",
  );
}

async function failedAttempts(cluster: TestCluster): Promise<number> {
  const [row] = await cluster.sql<{ tried: string }>("select last_value as tried from lockstep.failures");
  return Number(row?.tried);
}

async function pushOne(device: TestDevice) {
  const tip = await device.commit(APP, "tip");
  return await device.push(APP, [change("main", null, tip)]);
}

describe("a decision that PostgreSQL refuses for good", () => {
  it.each([
    ["54000", "INVALID_REQUEST", /refuses this \(said by the server\); send something shorter/],
    ["42501", "PREREQUISITE_MISSING", /refuses this \(said by the server\); grant it/],
    ["42P01", "PREREQUISITE_MISSING", /run `lockstep migrate`/],
    ["XX000", "INTERNAL", /^An internal error; nothing was written, the server's log has it under [0-9a-f-]{36}\.$/],
    ["23514", "INTERNAL", /^An internal error; nothing was written/],
  ])("is tried once and told as what it is (SQLSTATE %s)", async (sqlstate, code, message) => {
    await using cluster = await TestCluster.make();
    const [a] = await cluster.pair(APP);
    await failDecisions(cluster, sqlstate);
    await expect(pushOne(a)).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
    expect(await failedAttempts(cluster)).toBe(1);
    expect((await writes(cluster)).map(({ status }) => status)).toEqual(["dropped"]);
    await cluster.sql("drop trigger fail on lockstep.ref_log");
    expect(await pushOne(a)).toEqual({ "refs/heads/main": null });
    await a.expectInLockstep(APP);
  });

  it("is told with the error of an outage that does not end, not as lost races", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await cluster.pair(APP);
    await failDecisions(cluster, "53100");
    await expect(pushOne(a)).rejects.toMatchObject({
      code: "DATABASE_UNAVAILABLE",
      message: expect.stringMatching(/said by the server\); make room on the disk of the database/),
    });
    expect(await failedAttempts(cluster)).toBe(3);
  });

  it.each(["40001", "40P01"])(
    "lands when it only lost races against other transactions (SQLSTATE %s)",
    async (sqlstate) => {
      await using cluster = await TestCluster.make();
      const [a] = await cluster.pair(APP);
      await failDecisions(cluster, sqlstate, 3);
      expect(await pushOne(a)).toEqual({ "refs/heads/main": null });
      // The same statement again: no other write was made for it.
      expect((await writes(cluster)).map(({ status }) => status)).toEqual(["landed"]);
    },
  );
});

describe("a statement that PostgreSQL refuses", () => {
  it("a refusal for want of a right names the login and the remedy", async () => {
    await using database = await migratedDatabase();
    const role = `weak_${Date.now()}`;
    const url = new URL(database.url);
    await administer(database.url, async (client) => {
      await client.query(`create role ${role} login password 'weak'`);
      await client.query(`grant usage on schema lockstep to ${role}`);
      await client.query(`grant select on all tables in schema lockstep to ${role}`);
    });
    Object.assign(url, { username: role, password: "weak" });
    try {
      await using strong = new Database({ url: database.url, applicationName: "strong" });
      await using weak = new Database({ url: url.href, applicationName: "weak" });
      const me = await incarnation(strong);
      const { id } = await repository(strong, me);
      const ticket = { repositoryId: id, writeId: crypto.randomUUID(), author: "ada", reason: "push" };
      await expect(takeTurn(weak, me, ticket)).rejects.toMatchObject({
        code: "PREREQUISITE_MISSING",
        message: expect.stringMatching(
          /the login weak_\d+ is neither that of a device nor that of the owner of the schema\); grant it to this user/,
        ),
      });
    } finally {
      await administer(database.url, async (client) => {
        await client.query(`drop owned by ${role}`);
        await client.query(`drop role ${role}`);
      });
    }
  });

  it("a refusal of a NUL character names it, and is the caller's to correct", async () => {
    await using database = await migratedDatabase();
    await using db = new Database({ url: database.url, applicationName: "nul" });
    const me = await incarnation(db);
    const { id } = await repository(db, me);
    const write = { writeId: crypto.randomUUID(), repositoryId: id, base: 0n, author: "a\0b", names: [] };
    await expect(stageWrite(db, me, write)).rejects.toMatchObject({
      code: "INVALID_REQUEST",
      message: expect.stringMatching(/NUL character/),
    });
  });
});
