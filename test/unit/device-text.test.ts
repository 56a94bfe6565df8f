// What `lockstep status` and `lockstep device` print of the disk of a device.
import { describe, expect, it } from "vitest";
import { shown } from "../../src/cli/terminal/styled.ts";
import { describeDevice, describeDevices, documentOfDevice } from "../../src/cli/text/device.ts";
import type { Device__Output as Device } from "../../src/generated/lockstep/v1/Device.ts";

const DEVICE: Device = {
  ...{ name: "repo001", live: true, zone: "north", grpcAddress: "repo001:7420", gitAddress: "repo001:7421" },
  ...{ startedAt: null, awaySince: null, drainingSince: null, removedAt: null, writes: true, placing: false },
  ...{ replicas: "0", missing: "0", openCommands: "0", sshAddress: "", sshUser: "", disk: null },
};
const disk = (free: number, size: number) => ({ freeBytes: String(free), sizeBytes: String(size) });
const rowOf = (device: Device, coloured = false) =>
  shown(describeDevices([device]), { coloured, columns: undefined }).split("\n")[1];
const one = (device: Device) =>
  shown(describeDevice({ device, onlyHere: [], moreOnlyHere: "0", writing: 0, drained: false }), {
    ...{ coloured: false, columns: undefined },
  });

describe("the disk of a device", () => {
  it("is shown in the list, and in full with the device", () => {
    const device = { ...DEVICE, disk: disk(25e9, 1e11) };
    expect(rowOf(device)).toMatch(/^repo001 +live +north +repo001:7420 +25\.00 GB \(25 %\)$/);
    expect(one(device)).toContain("\ndisk: 25.00 GB free of 100.00 GB (25 %)");
    expect(documentOfDevice(device).disk).toEqual({ free_bytes: 25e9, size_bytes: 1e11, state: "enough" });
  });

  it("is nothing where the device has told nothing", () => {
    expect(rowOf(DEVICE)).toMatch(/repo001:7420$/);
    expect(one(DEVICE)).not.toContain("disk");
    expect(documentOfDevice(DEVICE).disk).toBeNull();
  });

  it.each([
    [9e9, "low", "\x1b[33m9.00 GB (9 %)\x1b[39m"],
    [9e8, "little", "\x1b[33m900.0 MB (0 %)\x1b[39m"],
    [9e7, "too_little", "\x1b[31m90.0 MB (0 %)\x1b[39m"],
  ])("of which %d bytes are free is %s, in a colour", (free, state, cell) => {
    const device = { ...DEVICE, disk: disk(free, 1e11) };
    expect(documentOfDevice(device).disk).toMatchObject({ state });
    expect(rowOf(device, true)).toContain(cell);
  });
});
