// The gauges of this device, read when somebody asks for the page.
import type { DiskRoom } from "../health/disk-room.ts";
import type { Families } from "./families.ts";

/** The open commands of this device. */
export interface QueueDepth {
  readonly queued: number;
  readonly running: number;
  readonly oldestSeconds: number;
}

/** How much of a limit is used. `most`: beyond it, somebody waits or is refused. */
export interface LimitUse {
  readonly limit: string;
  readonly used: number;
  readonly most: number;
}

/** The values that are read for one page. undefined: there is no answer, so the metric is absent. */
export interface DeviceFigures {
  readonly headQueries: number;
  readonly queue: QueueDepth | undefined;
  readonly disk: DiskRoom | undefined;
  readonly certificates: readonly { readonly file: string; readonly endsAt: number }[];
  readonly limits: readonly LimitUse[];
}

/** Makes the gauges of this device. Returns a function that shows values. */
export function deviceGauges(families: Families): (figures: DeviceFigures) => void {
  const headQueries = families.counter(
    "lockstep_head_queries_total",
    "Database round trips for heads, each shared by many reads",
  );
  const databaseUp = families.gauge("lockstep_database_up", "1 if PostgreSQL answers this device, else 0");
  const commands = families.gauge("lockstep_commands", "Open commands of this device, by state", "state");
  const age = families.gauge(
    "lockstep_command_wait_seconds",
    "For how long the oldest due command of this device has waited",
  );
  const free = families.gauge("lockstep_disk_free_bytes", "Free bytes of the file system of the root");
  const size = families.gauge("lockstep_disk_size_bytes", "Size of the file system of the root");
  const certificate = families.gauge(
    "lockstep_certificate_expiry_timestamp_seconds",
    "When the certificate of this device (file: tls-cert) and its authority (file: tls-ca) end",
    "file",
  );
  const used = families.gauge("lockstep_limit_used", "How much of a limit is used", "limit");
  const most = families.gauge("lockstep_limit_max", "The limit, beyond which somebody waits or is refused", "limit");
  return (figures) => {
    headQueries.reset();
    headQueries.inc(figures.headQueries);
    databaseUp.set(Number(figures.queue !== undefined));
    commands.reset();
    if (figures.queue) {
      commands.set({ state: "queued" }, figures.queue.queued);
      commands.set({ state: "running" }, figures.queue.running);
      age.set(figures.queue.oldestSeconds);
    } else age.remove();
    if (figures.disk) {
      free.set(figures.disk.freeBytes);
      size.set(figures.disk.sizeBytes);
    } else for (const gauge of [free, size]) gauge.remove();
    certificate.reset();
    for (const { file, endsAt } of figures.certificates) certificate.set({ file }, endsAt / 1000);
    for (const gauge of [used, most]) gauge.reset();
    for (const { limit, ...of } of figures.limits) {
      used.set({ limit }, of.used);
      most.set({ limit }, of.most);
    }
  };
}
