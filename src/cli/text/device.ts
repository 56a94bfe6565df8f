// A device as `lockstep device` and `lockstep status` print it.

import type { Device__Output as Device } from "../../generated/lockstep/v1/Device.ts";
import type { DeviceDetails__Output as Details } from "../../generated/lockstep/v1/DeviceDetails.ts";
import { type DiskRoom, judgeRoom } from "../../health/disk-room.ts";
import type { Run } from "../terminal/command.ts";
import { size } from "../terminal/progress.ts";
import { type Styled, styled, table } from "../terminal/styled.ts";
import { instant, lasting, moment } from "./times.ts";

/** Returns a device as --json prints it. */
export function documentOfDevice(device: Device) {
  const {
    name,
    live,
    awaySince,
    zone,
    grpcAddress,
    gitAddress,
    sshAddress,
    sshUser,
    drainingSince,
    removedAt,
    writes,
    placing,
  } = device;
  return {
    name,
    state: stateOf(device),
    live,
    away_since: awaySince && instant(awaySince),
    draining_since: drainingSince && instant(drainingSince),
    removed_at: removedAt && instant(removedAt),
    writes: writes && !drainingSince && !removedAt,
    // null: it has all its replicas.
    filling: placing || device.missing !== "0" ? { there: there(device), all: Number(device.replicas), placing } : null,
    open_commands: Number(device.openCommands),
    zone,
    grpc: grpcAddress,
    git: gitAddress,
    ssh: sshAddress === "" ? null : `${sshUser}@${sshAddress}`,
    disk: documentOfDisk(device),
  };
}

/** Returns what a device told of its disk. null: nothing. */
function roomOf({ disk }: Device): DiskRoom | null {
  return disk && { freeBytes: Number(disk.freeBytes), sizeBytes: Number(disk.sizeBytes) };
}

function documentOfDisk(device: Device) {
  const room = roomOf(device);
  return room && { free_bytes: room.freeBytes, size_bytes: room.sizeBytes, state: judgeRoom(room) };
}

const DISK_STYLES = { low: "notice", little: "notice", too_little: "bad" } as const;

/** Says how much room there is, with a style if it is little. */
function diskText(room: DiskRoom, text: string): string | Styled {
  const how = judgeRoom(room);
  return how === "enough" ? text : { style: DISK_STYLES[how], text };
}

/** Returns the cell of the table about the disk. Empty: the device has told nothing. */
function diskCell(device: Device): string | Styled {
  const room = roomOf(device);
  if (room === null) return "";
  return diskText(room, `${size(room.freeBytes)} (${percentOf(room)} %)`);
}

function percentOf({ freeBytes, sizeBytes }: DiskRoom): number {
  return sizeBytes > 0 ? Math.floor((freeBytes / sizeBytes) * 100) : 0;
}

function diskLine(device: Device): string {
  const room = roomOf(device);
  if (room === null) return "";
  const text = `${size(room.freeBytes)} free of ${size(room.sizeBytes)} (${percentOf(room)} %)`;
  const said = diskText(room, text);
  return `disk: ${typeof said === "string" ? said : styled(said.style, said.text)}`;
}

/** Returns how many replicas of a device are there. */
function there(device: Device | null | undefined): number {
  return Number(device?.replicas ?? 0) - Number(device?.missing ?? 0);
}

function stateOf({ removedAt, drainingSince, live }: Device): "removed" | "draining" | "live" | "down" {
  if (removedAt) return "removed";
  return drainingSince ? "draining" : live ? "live" : "down";
}

const STYLES = { live: "good", draining: "notice", down: "bad", removed: "notice" } as const;

/** Returns the table of devices as text. */
export function describeDevices(devices: readonly Device[]): string {
  return table(
    ["device", "state", "zone", "grpc", "disk free"],
    devices.map((device) => [
      device.name,
      { style: STYLES[stateOf(device)], text: describeState(device) },
      device.zone,
      device.grpcAddress,
      diskCell(device),
    ]),
  );
}

function describeState(device: Device): string {
  const { live, awaySince, drainingSince, removedAt, writes, placing, missing, replicas } = device;
  if (removedAt) return `removed ${moment(removedAt)}`;
  const parts = [live ? "live" : awaySince ? `down for ${lasting(awaySince)}` : "down"];
  if (drainingSince) parts.push("draining");
  else if (!writes) parts.push("no writes");
  if (placing || missing !== "0")
    parts.push(`copying: ${there(device)} of ${placing ? "more than " : ""}${replicas} replicas`);
  if (device.openCommands !== "0") parts.push(`commands to do: ${device.openCommands}`);
  return parts.join(", ");
}

/** Returns one device as text, with all that keeps it from being removed. */
export function describeDevice(details: Details | null): string {
  const { device, onlyHere: names = [], moreOnlyHere, writing, drained } = details ?? {};
  if (!device) return "";
  const lines = [`${device.name}: ${describeState(device)}`];
  if (device.removedAt) return `${lines[0]}. Its files stay as they are. It counts nowhere any more.`;
  lines.push(`replicas: ${there(device)} of ${device.replicas} are there`);
  const disk = diskLine(device);
  if (disk !== "") lines.push(disk);
  if (device.sshAddress !== "") lines.push(`ssh: ${device.sshUser}@${device.sshAddress}`);
  if (drained) lines.push("drained: the other devices have everything, it may be switched off and removed");
  if (writing) lines.push(`writes under way: ${writing}`);
  if (names.length > 0) {
    const more = moreOnlyHere === "0" ? "" : ` and ${moreOnlyHere} more`;
    lines.push(`only here: the newest version of ${names.join(", ")}${more}`);
  }
  return lines.join("\n");
}

/** Returns of how many repositories only this device has the head. */
export function onlyHere({ onlyHere, moreOnlyHere }: Details): number {
  return onlyHere.length + Number(moreOnlyHere);
}

/** Prints one device, with its keys if they were asked for. */
export function printDevice(run: Run, details: Details | null, keys?: { document: object; text: string }): void {
  const document = {
    ...(details?.device && documentOfDevice(details.device)),
    replicas: { there: there(details?.device), all: Number(details?.device?.replicas) },
    only_here: details?.onlyHere,
    more_only_here: Number(details?.moreOnlyHere),
    writing: details?.writing,
    drained: details?.drained,
    ...keys?.document,
  };
  run.print(document, [describeDevice(details), keys?.text].filter(Boolean).join("\n\n"));
}
