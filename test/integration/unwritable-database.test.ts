import { randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import { Database } from "../../src/store/database/database.ts";
import { takeOver } from "../../src/store/device/device-lease.ts";
import { readHeads } from "../../src/store/repository/read-heads.ts";
import { settleWrite } from "../../src/store/write/writes.ts";
import { administer } from "../support/administer.ts";
import { migratedDatabase } from "../support/database.ts";
import { makeReplicaRows, me } from "../support/replica-rows.ts";

const ROOT = randomUUID();

makeReplicaRows();

describe("a database that cannot be written", () => {
  it("answers with DATABASE_UNAVAILABLE", async () => {
    await using readOnly = await migratedDatabase();
    const database = new URL(readOnly.url).pathname.slice(1);
    await administer(readOnly.url, (client) =>
      client.query(`alter database ${database} set default_transaction_read_only = on`),
    );
    await using at = new Database({ url: readOnly.url, applicationName: "read-only" });
    const unavailable = expect.objectContaining({ code: "DATABASE_UNAVAILABLE" });
    await expect(
      settleWrite(at, me, { writeId: randomUUID(), repositoryId: randomUUID(), author: "ada" }, "any"),
    ).rejects.toEqual(unavailable);
    const request = {
      device: "mine",
      incarnation: randomUUID(),
      rootId: ROOT,
      grpcAddress: "",
      gitAddress: "",
      zone: "",
    };
    await expect(takeOver(at, request)).rejects.toEqual(unavailable);
  });

  it("is unavailable when nobody listens at its address", async () => {
    await using nowhere = new Database({ url: "postgres://lockstep@127.0.0.1:1/none", applicationName: "nowhere" });
    await expect(readHeads(nowhere, "mine", [])).rejects.toMatchObject({ code: "DATABASE_UNAVAILABLE" });
  });
});
