// The page at /metrics, for Prometheus. docs/metrics.md explains each metric.
import type { DiskRoom } from "../health/disk-room.ts";
import type { ClusterFigures } from "../health/figures.ts";
import { clusterGauges } from "./cluster-gauges.ts";
import { type DeviceFigures, deviceGauges, type QueueDepth } from "./device-gauges.ts";
import { Families } from "./families.ts";
import { KeptAnswer } from "./kept-answer.ts";
import { Limits } from "./limits.ts";
import { WorkMetrics } from "./work-metrics.ts";

/** Prometheus gives a scrape 10 s by default. The two questions to the database, one after the other, fit into that. */
const PATIENCE_MS = 3_000;
const KEEP_MS = 1_000;
/** The cluster is counted this often at most. For each device the database spends 2 % of a core on it at most. */
const KEEP_CLUSTER_MS = 5_000;
const TIMES_KEPT = 50;
const OLDEST_CLUSTER_MS = 15 * 60_000;

/** The sources of values that are read when somebody asks for the page. */
export interface MetricSources {
  readonly headQueries: () => number;
  /** Returns the open commands of this device. Rejects if the database does not answer. */
  readonly commands: () => Promise<QueueDepth>;
  readonly cluster?: () => Promise<ClusterFigures>;
  readonly disk?: () => Promise<DiskRoom>;
  /** Returns the certificates that this device uses, each with the file that holds it and its end in milliseconds. */
  readonly certificates?: () => DeviceFigures["certificates"];
  /** The versions of this program and of what it runs with. */
  readonly build?: Readonly<Record<"version" | "git" | "schema", string>>;
}

/** Counts and measures the work of one sidecar, and writes the page. */
export class Metrics extends WorkMetrics {
  /** Each limit reports its use here. */
  readonly limits = new Limits();
  readonly #families: Families;
  readonly #sources: MetricSources;
  readonly #queue: KeptAnswer<QueueDepth>;
  readonly #disk: KeptAnswer<DiskRoom>;
  readonly #cluster: KeptAnswer<ClusterFigures>;
  readonly #showDevice: (figures: DeviceFigures) => void;
  readonly #showCluster: (figures: ClusterFigures | undefined) => void;

  constructor(sources: MetricSources) {
    const families = new Families();
    super(families);
    this.#families = families;
    this.#sources = sources;
    const none = async (): Promise<never> => {
      throw new Error("nobody can tell");
    };
    const { commands, disk = none, cluster = none, build } = sources;
    const patient = { keepMs: KEEP_MS, patienceMs: PATIENCE_MS };
    this.#queue = new KeptAnswer({ ask: commands, ...patient });
    this.#disk = new KeptAnswer({ ask: disk, ...patient });
    const seldom = { keepMs: KEEP_CLUSTER_MS, timesKept: TIMES_KEPT, oldestMs: OLDEST_CLUSTER_MS };
    this.#cluster = new KeptAnswer({ ask: cluster, ...patient, ...seldom });
    this.#showDevice = deviceGauges(families);
    this.#showCluster = clusterGauges(families);
    const labels = ["version", "git", "schema"] as const;
    const info = families.gauge("lockstep_build_info", "1, with the versions of this sidecar as labels", ...labels);
    if (build) info.set(build, 1);
  }

  /** Returns the page of metrics and its content type. It comes also while neither database nor disk answers. */
  async page(): Promise<{ contentType: string; text: string }> {
    const { headQueries, certificates = () => [] } = this.#sources;
    const [queue, disk] = await Promise.all([this.#queue.get(), this.#disk.get()]);
    // Counts from before an outage would look like counts of now.
    const cluster = queue && (await this.#cluster.get());
    this.#showCluster(cluster);
    this.#showDevice({
      headQueries: headQueries(),
      certificates: certificates(),
      limits: this.limits.read(),
      ...{ queue, disk },
    });
    return await this.#families.page();
  }
}
