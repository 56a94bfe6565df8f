import { randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import { digestOf } from "../../src/digest.ts";
import { queryOnce } from "../../src/store/database/database.ts";
import { releaseLease } from "../../src/store/device/device-lease.ts";
import { readFold } from "../../src/store/log/fold.ts";
import { listStatus } from "../../src/store/operator/status.ts";
import { recordVersion } from "../../src/store/replica/record-replica.ts";
import { createRepository, findRepository, listRepositories } from "../../src/store/repository/repositories.ts";
import { getWrite } from "../../src/store/write/find-write.ts";
import { settleWrite, stageWrite } from "../../src/store/write/writes.ts";
import { db } from "../support/file-database.ts";
import { refsFrom } from "../support/refs.ts";
import { id, land, makeReplicaRows, me, name, other, repository, setState } from "../support/replica-rows.ts";
import { HERE } from "../support/store-rows.ts";

makeReplicaRows();

describe("listStatus", () => {
  const unrest = async () => (await listStatus(db, 1000)).find(({ repository }) => repository === name);

  it("says who is behind, who is broken, who leads and whether somebody writes", async () => {
    await recordVersion(db, me, id, 0n, null);
    expect(await unrest()).toMatchObject({
      head: 0n,
      leaders: ["mine"],
      behind: ["other"],
      broken: [],
      writing: false,
    });
    await recordVersion(db, other, id, 0n, null);
    expect(await unrest()).toBeUndefined();
    const write = { writeId: randomUUID(), repositoryId: id, base: 0n, author: "ada", names: [] };
    await stageWrite(db, me, write);
    expect(await unrest()).toMatchObject({ leaders: ["mine", "other"], behind: [], writing: true });
    await settleWrite(db, me, write, "enough");
    await land(0n);
    expect(await unrest()).toMatchObject({ head: 1n, leaders: [], behind: ["mine", "other"], writing: false });
    await recordVersion(db, me, id, 1n, null);
    await setState("broken", "other");
    expect(await unrest()).toMatchObject({ leaders: ["mine"], behind: [], broken: ["other"] });
  });

  it("has a head that is on one device only", async () => {
    await setState("released", "other");
    await recordVersion(db, me, id, 0n, null);
    expect(await unrest()).toMatchObject({ leaders: ["mine"], behind: [], broken: [] });
  });
});

describe("createRepository", () => {
  it("makes version 0, whose only ref is HEAD", async () => {
    const request = { name: `r-${randomUUID()}`, devices: ["mine", "mine"], defaultBranch: "trunk" };
    const made = await createRepository(db, { ...request, objectFormat: "sha256" });
    expect(made.devices).toEqual(["mine"]);
    const { digestKey, ...fold } = await readFold(db, made.id);
    const refs = refsFrom({ HEAD: "ref: refs/heads/trunk" });
    const digest = digestOf(digestKey, refs);
    expect(fold).toEqual({ head: 0n, digest, refs, replicated: false, timeline: HERE });
    expect(digestKey).toHaveLength(32);
    expect(await findRepository(db, request.name)).toMatchObject({
      id: made.id,
      name: request.name,
      objectFormat: "sha256",
      headVersion: 0n,
      headDigest: digest,
      minCopies: 1,
      landWithFewer: false,
      placement: ["mine"],
      stopped: null,
    });
  });

  it("has replicas on all devices when none is named, also on those that are down", async () => {
    await releaseLease(db, other);
    const request = { name: `r-${randomUUID()}`, devices: [], defaultBranch: "main" };
    expect((await createRepository(db, { ...request, objectFormat: "sha1" })).devices).toEqual(["mine", "other"]);
  });

  it("is refused for a name that is taken, a device that never was, and when there is no device", async () => {
    await expect(repository(name, "mine")).rejects.toMatchObject({ code: "REPOSITORY_EXISTS" });
    const another = `r-${randomUUID()}`;
    await expect(repository(another, "mine", "nobody")).rejects.toMatchObject({ code: "DEVICE_NOT_FOUND" });
    await queryOnce(db.work, "update lockstep.device set draining_since = now()");
    await expect(repository(another)).rejects.toMatchObject({ code: "DEVICE_NOT_FOUND" });
    await expect(findRepository(db, another)).rejects.toMatchObject({ code: "REPOSITORY_NOT_FOUND" });
    await queryOnce(db.work, "update lockstep.device set draining_since = null");
  });

  it("locks the row of the repository that has the name, so that this answer waits for a synchronous standby", async () => {
    // PostgreSQL lets the end of a transaction wait for the standby only if the transaction has changed or locked a row.
    const lockedBy = async () =>
      (await queryOnce(db.work, "select xmax::text as xmax from lockstep.repository where id = $1", [id]))[0]?.xmax;
    const before = await lockedBy();
    const request = { name, devices: ["mine"], defaultBranch: "main", objectFormat: "sha1" } as const;
    await expect(createRepository(db, request)).rejects.toThrow("exists");
    expect(await lockedBy()).not.toBe(before);
  });

  it("succeeds for one of two at the same time", async () => {
    const wanted = `r-${randomUUID()}`;
    const both = await Promise.allSettled([repository(wanted, "mine"), repository(wanted, "other")]);
    expect(both.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    expect(both).toContainEqual({
      status: "rejected",
      reason: expect.objectContaining({ code: "REPOSITORY_EXISTS" }),
    });
  });
});

describe("listRepositories", () => {
  it("goes through the names page by page", async () => {
    const names = ["zz/1", "zz/2", "zz/3"];
    for (const each of names) await repository(each, "mine");
    const page = async (after: string) => (await listRepositories(db, after, 2)).map((each) => each.name);
    expect(await page("zz/0")).toEqual(["zz/1", "zz/2"]);
    expect(await page("zz/2")).toEqual(["zz/3"]);
  });
});

describe("getWrite", () => {
  it("tells what became of a write, and does not find one of another repository or of none", async () => {
    const write = { writeId: randomUUID(), repositoryId: id, base: 0n, author: "ada", names: [] };
    const notFound = { code: "WRITE_NOT_FOUND" };
    await expect(getWrite(db, name, write.writeId)).rejects.toMatchObject(notFound);
    await stageWrite(db, me, write);
    const staged = { id: write.writeId, repository: name, device: "mine", author: "ada", baseVersion: 0n };
    expect(await getWrite(db, name, write.writeId)).toMatchObject({ ...staged, status: "staged", decidedAt: null });
    await settleWrite(db, me, write, "enough");
    const dropped = { status: "dropped", dropReason: "enough", version: null, decidedAt: expect.any(Date) };
    expect(await getWrite(db, name, write.writeId)).toMatchObject({ ...staged, ...dropped });
    await expect(getWrite(db, "another", write.writeId)).rejects.toMatchObject(notFound);
  });
});
