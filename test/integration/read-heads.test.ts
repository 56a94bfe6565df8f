import { randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import { Database } from "../../src/store/database/database.ts";
import { recordVersion } from "../../src/store/replica/record-replica.ts";
import { readHeads } from "../../src/store/repository/read-heads.ts";
import { findRepository } from "../../src/store/repository/repositories.ts";
import { administer } from "../support/administer.ts";
import { migratedDatabase } from "../support/database.ts";
import { db } from "../support/file-database.ts";
import { id, land, makeReplicaRows, me, name, repository, start } from "../support/replica-rows.ts";
import { HERE } from "../support/store-rows.ts";

makeReplicaRows();

describe("readHeads", () => {
  const digestAt = async (repository: string) => (await findRepository(db, repository)).headDigest.toString("hex");

  it("has the heads of known names with this device's replica, and its fence, in one answer", async () => {
    await land(0n);
    const foreign = `r-${randomUUID()}`;
    const foreignId = await repository(foreign, "other");
    await recordVersion(db, me, id, 0n, null);
    const { fence, byName } = await readHeads(db, "mine", [name, foreign, "unknown"]);
    expect(fence).toBe(me.fence);
    expect(byName).toEqual(
      new Map([
        [
          name,
          {
            id,
            version: 1n,
            digest: await digestAt(name),
            objectFormat: "sha1",
            replicaState: "active",
            stopped: null,
            writesStopped: null,
          },
        ],
        [
          foreign,
          {
            id: foreignId,
            version: 0n,
            digest: await digestAt(foreign),
            objectFormat: "sha1",
            replicaState: null,
            stopped: null,
            writesStopped: null,
          },
        ],
      ]),
    );
  });

  it("has the fence even when no name is known", async () => {
    expect(await readHeads(db, "mine", ["unknown"])).toEqual({
      fence: me.fence,
      timeline: HERE,
      noWrites: null,
      byName: new Map(),
    });
    expect(await readHeads(db, "mine", [])).toEqual({
      fence: me.fence,
      timeline: HERE,
      noWrites: null,
      byName: new Map(),
    });
  });

  it("shows the successor's fence to an incarnation that was replaced", async () => {
    const successor = await start("mine");
    expect((await readHeads(db, "mine", [])).fence).toBe(successor.fence);
  });

  it("is refused by a database that does not know the device", async () => {
    await expect(readHeads(db, "nobody", [name])).rejects.toMatchObject({ code: "DEVICE_NOT_FOUND" });
  });

  it("readHeads is refused by a standby", async () => {
    await using standby = await migratedDatabase();
    // A server that says it is in recovery, without the minutes that a real one takes to make.
    await administer(standby.url, async (client) => {
      await client.query("create schema standby");
      await client.query("create function standby.pg_is_in_recovery() returns boolean language sql as 'select true'");
      await client.query("insert into lockstep.device (name) values ('mine')");
      const database = new URL(standby.url).pathname.slice(1);
      await client.query(`alter database ${database} set search_path = standby, pg_catalog`);
    });
    await using behind = new Database({ url: standby.url, applicationName: "standby" });
    await expect(readHeads(behind, "mine", [])).rejects.toMatchObject({
      code: "DATABASE_UNAVAILABLE",
      message: expect.stringContaining("standby"),
    });
  });
});
