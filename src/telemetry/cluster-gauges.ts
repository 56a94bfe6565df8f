// The gauges of the whole cluster. Every device tells them, since any of them may be the only one that lives.
import type { Gauge } from "prom-client";
import type { ClusterFigures, DeviceFigures } from "../health/figures.ts";
import type { Families } from "./families.ts";

const STATES = ["pending", "active", "broken", "released", "destroyed"] as const;

/** Makes the gauges. Returns a function that shows figures. undefined: the database does not answer. */
export function clusterGauges(families: Families): (figures: ClusterFigures | undefined) => void {
  const ofDevices = deviceGauges(families);
  const replicas = families.gauge("lockstep_replicas", "Replicas of the cluster, by state", "state");
  const plain = plainGauges(families);
  return (figures) => {
    ofDevices(figures?.devices ?? []);
    replicas.reset();
    for (const state of figures ? STATES : []) replicas.set({ state }, figures?.replicas[state] ?? 0);
    for (const [gauge, read] of plain) {
      if (figures) gauge.set(read(figures));
      else gauge.remove();
    }
  };
}

function deviceGauges(families: Families): (devices: readonly DeviceFigures[]) => void {
  const gauges: readonly [Gauge<"device">, (device: DeviceFigures) => number][] = [
    [
      families.gauge("lockstep_device_up", "1 while a sidecar holds the lease of the device, else 0", "device"),
      ({ live }) => Number(live),
    ],
    [
      families.gauge("lockstep_device_draining", "1 if an operator drains the device, else 0", "device"),
      ({ drains }) => Number(drains),
    ],
    [
      families.gauge("lockstep_device_replicas", "Replicas that the device holds, makes or mends", "device"),
      ({ replicas }) => replicas,
    ],
    [
      families.gauge("lockstep_versions_behind", "Versions that the replicas of the device lack, in sum", "device"),
      ({ versionsBehind }) => versionsBehind,
    ],
    [
      families.gauge("lockstep_behind_seconds", "Age of the oldest version that the device lacks", "device"),
      ({ secondsBehind }) => secondsBehind,
    ],
  ];
  return (devices) => {
    for (const [gauge, read] of gauges) {
      gauge.reset();
      for (const device of devices) gauge.set({ device: device.name }, read(device));
    }
  };
}

function plainGauges(families: Families): readonly [Gauge, (figures: ClusterFigures) => number][] {
  return [
    [families.gauge("lockstep_repositories", "Repositories of the cluster"), (figures) => figures.repositories],
    [
      families.gauge(
        "lockstep_heads_on_one_device",
        "Repositories whose newest version is on fewer than two devices that stay, and should be on more",
      ),
      (figures) => figures.headsOnOneDevice,
    ],
    [
      families.gauge("lockstep_stopped_repositories", "Repositories that nobody may use until an operator decides"),
      (figures) => figures.stopped,
    ],
    [
      families.gauge("lockstep_write_stops", "Repositories whose writes an operator has stopped one by one"),
      (figures) => figures.writesStopped,
    ],
    [
      families.gauge("lockstep_writes_stopped", "1 if an operator has stopped the writes to all repositories, else 0"),
      (figures) => Number(figures.allWritesStopped),
    ],
    [
      families.gauge("lockstep_damaged_replicas", "Replicas in which the last scrub found something"),
      (figures) => figures.damaged,
    ],
    [
      families.gauge("lockstep_staged_writes", "Writes of the cluster that are not decided yet, with sessions"),
      (figures) => figures.staged.count,
    ],
    [
      families.gauge("lockstep_staged_write_age_seconds", "Age of the oldest write that is not decided yet"),
      (figures) => figures.staged.oldestSeconds,
    ],
    [
      families.gauge("lockstep_turn_tickets", "Writers of the cluster that have the turn or wait for it"),
      (figures) => figures.turns.count,
    ],
    [
      families.gauge("lockstep_turn_wait_seconds", "For how long the oldest of these writers has been there"),
      (figures) => figures.turns.oldestSeconds,
    ],
  ];
}
