// The room on disks: how little is too little, and a disk that hangs.
import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { describe, expect, it, vi } from "vitest";
import { type DiskRoom, judgeRoom, LOW_SHARE, readRoom } from "../../src/health/disk-room.ts";
import { KnownRoom } from "../../src/sync/lease/known-room.ts";
import { SOON } from "../support/soon.ts";

const RULES = readFileSync(new URL("../../deploy/prometheus/lockstep.rules.yaml", import.meta.url), "utf8");
const ROOM: DiskRoom = { freeBytes: 5e10, sizeBytes: 1e11 };
const LATER: DiskRoom = { freeBytes: 4e10, sizeBytes: 1e11 };

describe("the room on a disk", () => {
  it.each([
    [5e10, 1e11, "enough"],
    [9e9, 1e11, "low"],
    [1e10, 1e11, "enough"],
    [1e9, 2e9, "little"],
    [1e8, 2e8, "too_little"],
    [0, 0, "too_little"],
  ])("%d free bytes of %d are: %s", (freeBytes, sizeBytes, state) => {
    expect(judgeRoom({ freeBytes, sizeBytes })).toBe(state);
  });

  it("is marked from the share on at which the alert fires", () => {
    expect(RULES).toContain(`lockstep_disk_free_bytes / lockstep_disk_size_bytes < ${LOW_SHARE}\n`);
  });

  it("the room on a disk is read in bytes", async () => {
    const { freeBytes, sizeBytes } = await readRoom(tmpdir());
    expect(sizeBytes).toBeGreaterThan(1e6);
    expect(freeBytes).toBeLessThanOrEqual(sizeBytes);
  });
});

describe("what is known of the disk", () => {
  it("is there for the first who asks a moment after the start, and is measured again when it has grown old", async () => {
    const read = vi.fn<() => Promise<DiskRoom>>().mockResolvedValueOnce(ROOM).mockResolvedValue(LATER);
    const known = new KnownRoom(read, 0);
    await read.mock.results[0]?.value;
    await vi.waitFor(() => expect(known.last).toEqual(LATER), SOON);
  });

  it("is not measured again while it is fresh", async () => {
    const read = vi.fn(async () => ROOM);
    const known = new KnownRoom(read);
    await vi.waitFor(() => expect(known.last).toEqual(ROOM), SOON);
    expect(known.last).toEqual(ROOM);
    expect(read).toHaveBeenCalledTimes(1);
  });

  it("is nothing, at once, while the disk hangs; a disk that hangs is asked once", () => {
    const read = vi.fn(() => new Promise<DiskRoom>(() => {}));
    const known = new KnownRoom(read, 0);
    for (let asked = 0; asked < 3; asked += 1) expect(known.last).toBeUndefined();
    expect(read).toHaveBeenCalledTimes(1);
  });

  it("stays what it was when the disk begins to hang or fails, and follows the disk again afterwards", async () => {
    let answer = (_: DiskRoom) => {};
    const read = vi
      .fn<() => Promise<DiskRoom>>()
      .mockResolvedValueOnce(ROOM)
      .mockRejectedValueOnce(new Error("EIO"))
      .mockImplementation(() => new Promise((resolve) => (answer = resolve)));
    const known = new KnownRoom(read, 0);
    await vi.waitFor(() => {
      expect(known.last).toEqual(ROOM);
      expect(read).toHaveBeenCalledTimes(3);
    }, SOON);
    expect(known.last).toEqual(ROOM);
    answer(LATER);
    await vi.waitFor(() => expect(known.last).toEqual(LATER), SOON);
  });
});
