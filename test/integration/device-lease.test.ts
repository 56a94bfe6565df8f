// The lease of a device: how long it runs, and who may renew or release it.
import { randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import { queryOnce } from "../../src/store/database/database.ts";
import { leaseHasEnded, releaseLease, renewLease, takeOver } from "../../src/store/device/device-lease.ts";
import { listDevices } from "../../src/store/device/devices.ts";
import { WAITS } from "../../src/waits.ts";
import { deviceRow } from "../support/device-rows.ts";
import { db, makeDatabaseOfFile } from "../support/file-database.ts";
import { HERE } from "../support/store-rows.ts";
import { expire, request, taken } from "../support/taking-over.ts";

makeDatabaseOfFile();

describe("a lease", () => {
  it("runs for its time by the database's clock, and a renewal starts it anew", async () => {
    expect(WAITS.leaseRenewalMs * 3).toBeLessThanOrEqual(WAITS.leaseMs);
    const asked = request();
    const { incarnation: me } = await taken(asked);
    await queryOnce(
      db.work,
      "update lockstep.device set expires_at = expires_at - interval '10 seconds' where name = $1",
      [asked.device],
    );
    expect(await renewLease(db, me, HERE)).toEqual(expect.any(String));
    const { left } = (await deviceRow(asked.device)) as { left: number };
    expect(left * 1000).toBeLessThanOrEqual(WAITS.leaseMs);
    expect(left * 1000).toBeGreaterThan(WAITS.leaseMs - 5_000);
  });

  it("is not renewed by an old fence", async () => {
    const asked = request();
    const { incarnation: old } = await taken(asked);
    const { incarnation: me } = await taken({ ...asked, incarnation: randomUUID() });
    const before = await deviceRow(asked.device);
    expect(await renewLease(db, old, HERE)).toBeUndefined();
    expect(await deviceRow(asked.device)).toMatchObject({ expires_at: before?.expires_at });
    expect(await renewLease(db, me, HERE)).toEqual(expect.any(String));
  });

  it("may be renewed after it ran out if nobody took over meanwhile", async () => {
    const asked = request();
    const { incarnation: me } = await taken(asked);
    await expire(asked.device);
    expect(await leaseHasEnded(db, asked.device)).toBe(true);
    expect(await renewLease(db, me, HERE)).toEqual(expect.any(String));
    expect(await leaseHasEnded(db, asked.device)).toBe(false);
  });

  it("keeps no successor waiting after its release", async () => {
    const asked = request();
    const { incarnation: me } = await taken(asked);
    await releaseLease(db, me);
    expect(await leaseHasEnded(db, asked.device)).toBe(true);
    expect(await takeOver(db, request({ device: asked.device }))).toMatchObject({ outcome: "taken" });
  });

  it("is not released by an old fence", async () => {
    const asked = request();
    const { incarnation: old } = await taken(asked);
    await taken({ ...asked, incarnation: randomUUID() });
    await releaseLease(db, old);
    expect(await leaseHasEnded(db, asked.device)).toBe(false);
  });

  it("shows in the list of devices", async () => {
    const [live, ended] = [request(), request()];
    await taken(live);
    await releaseLease(db, (await taken(ended)).incarnation);
    const devices = await listDevices(db);
    expect(devices.map(({ name }) => name)).toEqual(devices.map(({ name }) => name).sort());
    const fields = { grpcAddress: "repo001:7420", gitAddress: "repo001:7421", zone: "a", startedAt: expect.any(Date) };
    expect(devices).toContainEqual(
      expect.objectContaining({ name: live.device, live: true, awaySince: null, ...fields }),
    );
    const away = { name: ended.device, live: false, awaySince: expect.any(Date) };
    expect(devices).toContainEqual(expect.objectContaining({ ...away, ...fields }));
  });

  it("a lease of a device that never registered has ended", async () => {
    expect(await leaseHasEnded(db, "nobody")).toBe(true);
  });
});
