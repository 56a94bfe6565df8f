// The metrics at /metrics, for Prometheus. Names: lockstep_<noun>_<unit>[_total].
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";

/** Buckets from a read of a current replica (1 ms) to the first copy of a large repository (300 s). */
const SECONDS = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300];

// Gauges of prom-client whose names end in _total, which Prometheus reserves for counters. Each has a twin with the
// same value under a correct name.
const MISNAMED = ["nodejs_active_handles_total", "nodejs_active_requests_total", "nodejs_active_resources_total"];

/** The sources of values that are read when somebody asks for the page. */
export interface MetricSources {
  readonly headQueries: () => number;
  /** Returns the open commands of this device. undefined: the database does not answer. */
  readonly commands: () => Promise<{ queued: number; running: number; oldestSeconds: number } | undefined>;
  /** Returns the certificates that this device uses, each with the file that holds it and its end in milliseconds. */
  readonly certificates?: () => readonly { readonly file: string; readonly endsAt: number }[];
}

/** Counts and measures the work of one sidecar, and writes the page for Prometheus. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #pushes: Counter<"result">;
  readonly #pushSeconds: Histogram;
  readonly #races: Counter;
  readonly #catchUps: Counter<"result">;
  readonly #catchUpSeconds: Histogram;
  readonly #catchUpBytes: Counter;
  readonly #reads: Counter<"result">;
  readonly #packs: Counter<"result">;
  readonly #watched: Counter;
  readonly #refused: Counter<"code">;
  readonly #hookDeliveries: Counter<"result">;
  readonly #hookSeconds: Histogram;

  constructor(sources: MetricSources) {
    const registers = [this.#registry];
    collectDefaultMetrics({ register: this.#registry });
    for (const name of MISNAMED) this.#registry.removeSingleMetric(name);
    const counter = <Label extends string>(name: string, help: string, labelNames: Label[] = []) =>
      new Counter({ name, help, labelNames, registers });
    const seconds = (name: string, help: string) => new Histogram({ name, help, buckets: SECONDS, registers });
    this.#pushes = counter("lockstep_pushes_total", "Pushes handed over by git, by what became of them", ["result"]);
    this.#pushSeconds = seconds("lockstep_push_seconds", "From git's commands to the report, for pushes that landed");
    this.#races = counter("lockstep_push_races_total", "Attempts of pushes that lost to another device");
    this.#catchUps = counter("lockstep_catch_ups_total", "Catch-ups of replicas, by result", ["result"]);
    this.#catchUpSeconds = seconds("lockstep_catch_up_seconds", "Duration of catch-ups that succeeded");
    this.#catchUpBytes = counter("lockstep_catch_up_bytes_total", "Bytes of packs received from other devices");
    this.#reads = counter(
      "lockstep_reads_total",
      "Reads granted, on a replica that was current or had to fetch first",
      ["result"],
    );
    this.#packs = counter(
      "lockstep_packs_total",
      "Packs for clients of the gate and of ssh: made for several, shared, or left to the client's own git",
      ["result"],
    );
    this.#watched = counter("lockstep_watch_events_total", "Events told to callers of Watch");
    this.#refused = counter(
      "lockstep_refused_callers_total",
      "Requests of callers that were not let in, by error code",
      ["code"],
    );
    this.#hookDeliveries = counter("lockstep_hook_deliveries_total", "Attempts to deliver events to webhooks", [
      "result",
    ]);
    this.#hookSeconds = seconds("lockstep_hook_delivery_seconds", "Duration of deliveries that a webhook accepted");
    new Counter({
      name: "lockstep_head_queries_total",
      help: "Database round trips for heads, each shared by many reads",
      registers,
      collect() {
        this.reset();
        this.inc(sources.headQueries());
      },
    });
    this.#gaugesOfCommands(sources.commands);
    const { certificates = () => [] } = sources;
    new Gauge({
      name: "lockstep_certificate_expiry_timestamp_seconds",
      help: "When the certificate of this device (file: tls-cert) and its authority (file: tls-ca) end",
      labelNames: ["file"],
      registers,
      collect() {
        this.reset();
        for (const { file, endsAt } of certificates()) this.set({ file }, endsAt / 1000);
      },
    });
  }

  /** Gauges of the queue, read from the database at each scrape. They are absent while it does not answer. */
  #gaugesOfCommands(read: MetricSources["commands"]): void {
    const registers = [this.#registry];
    const age = new Gauge({
      name: "lockstep_command_wait_seconds",
      help: "For how long the oldest due command of this device has waited",
      registers,
    });
    new Gauge({
      name: "lockstep_commands",
      help: "Open commands of this device, by state",
      labelNames: ["state"],
      registers: [this.#registry],
      async collect() {
        const found = await read();
        this.reset();
        if (found === undefined) return age.remove();
        this.set({ state: "queued" }, found.queued);
        this.set({ state: "running" }, found.running);
        age.set(found.oldestSeconds);
      },
    });
  }

  /** Counts a push that landed or changed nothing. `races`: its attempts that lost to another device. */
  pushed(seconds: number, races: number): void {
    this.#pushes.inc({ result: "landed" });
    this.#pushSeconds.observe(seconds);
    this.#races.inc(races);
  }

  pushFailed(unknown: boolean): void {
    this.#pushes.inc({ result: unknown ? "unknown" : "refused" });
  }

  caughtUp(seconds: number, bytes: number): void {
    this.#catchUps.inc({ result: "ok" });
    this.#catchUpSeconds.observe(seconds);
    this.#catchUpBytes.inc(bytes);
  }

  catchUpFailed(): void {
    this.#catchUps.inc({ result: "failed" });
  }

  read(result: "current" | "fetched"): void {
    this.#reads.inc({ result });
  }

  /** Counts a pack that a client of the gate or of ssh asked for. */
  packServed(result: "made" | "shared" | "alone"): void {
    this.#packs.inc({ result });
  }

  watched(): void {
    this.#watched.inc();
  }

  /** Counts a connection or a request whose credentials were refused. */
  refused(code: string, times = 1): void {
    this.#refused.inc({ code }, times);
  }

  /** Counts an attempt to deliver an event to a webhook. */
  hookDelivered(result: "ok" | "failed", seconds: number): void {
    this.#hookDeliveries.inc({ result });
    if (result === "ok") this.#hookSeconds.observe(seconds);
  }

  /** Returns the page of metrics and its content type. */
  async page(): Promise<{ contentType: string; text: string }> {
    return { contentType: this.#registry.contentType, text: await this.#registry.metrics() };
  }
}
