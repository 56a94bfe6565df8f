// The room on the disk of a device, which a sidecar tells with each renewal of its lease.
import pino from "pino";
import { describe, expect, it, vi } from "vitest";
import type { DiskRoom } from "../../src/health/disk-room.ts";
import { renewLease } from "../../src/store/device/device-lease.ts";
import { findDevice, listDevices } from "../../src/store/device/devices.ts";
import { bootClockMs } from "../../src/sync/lease/boot-clock.ts";
import { KnownRoom } from "../../src/sync/lease/known-room.ts";
import { Lease } from "../../src/sync/lease/lease.ts";
import { db, makeDatabaseOfFile } from "../support/file-database.ts";
import { SOON } from "../support/soon.ts";
import { HERE } from "../support/store-rows.ts";
import { expire, request, taken } from "../support/taking-over.ts";

makeDatabaseOfFile();

describe("a lease", () => {
  it("tells the room on the disk with each renewal, and a renewal that does not know it leaves what was told", async () => {
    const asked = request();
    const { incarnation: me } = await taken(asked);
    const room = async () => (await findDevice(db, asked.device)).room;
    expect(await renewLease(db, me, HERE)).toEqual(expect.any(String));
    expect(await room()).toBeNull();
    await renewLease(db, me, HERE, { freeBytes: 5e10, sizeBytes: 1e11 });
    expect(await room()).toEqual({ freeBytes: 5e10, sizeBytes: 1e11 });
    await renewLease(db, me, HERE);
    expect(await room()).toEqual({ freeBytes: 5e10, sizeBytes: 1e11 });
    await renewLease(db, me, HERE, { freeBytes: 0, sizeBytes: 1e11 });
    expect(await room()).toEqual({ freeBytes: 0, sizeBytes: 1e11 });
    const shown = (await listDevices(db)).find(({ name }) => name === asked.device);
    expect(shown?.room).toEqual({ freeBytes: 0, sizeBytes: 1e11 });
  });

  it("is renewed whatever a file system says of its size", async () => {
    const { incarnation: me } = await taken(request());
    const endless = { freeBytes: 2 ** 64, sizeBytes: Number.MAX_VALUE };
    expect(await renewLease(db, me, HERE, endless)).toEqual(expect.any(String));
    expect((await findDevice(db, me.device)).room).toEqual({ freeBytes: 2 ** 62, sizeBytes: 2 ** 62 });
  });

  it("is renewed while the disk hangs, with what the disk said last, and tells what it says afterwards", async () => {
    const { incarnation: me, timeline } = await taken(request());
    let answer = (_: DiskRoom) => {};
    const asked = vi.fn<() => Promise<DiskRoom>>().mockResolvedValueOnce({ freeBytes: 5e10, sizeBytes: 1e11 });
    asked.mockImplementation(() => new Promise((resolve) => (answer = resolve)));
    const known = new KnownRoom(asked, 0);
    await vi.waitFor(() => expect(known.last).toBeDefined(), SOON);
    const lease = new Lease(db, me, pino({ enabled: false }), { askedAt: bootClockMs(), timeline });
    const stop = new AbortController();
    const kept = lease.keep({ onFenced: () => {}, onFailOver: () => {}, room: () => known.last }, stop.signal);
    await expire(me.device);
    await lease.renewSoon();
    const { live, room } = await findDevice(db, me.device);
    expect({ live, room }).toEqual({ live: true, room: { freeBytes: 5e10, sizeBytes: 1e11 } });
    answer({ freeBytes: 4e10, sizeBytes: 1e11 });
    await vi.waitFor(() => expect(known.last?.freeBytes).toBe(4e10), SOON);
    await lease.renewSoon();
    expect((await findDevice(db, me.device)).room?.freeBytes).toBe(4e10);
    stop.abort();
    await kept;
  });
});
