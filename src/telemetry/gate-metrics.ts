// The page at /metrics of a gate, for Prometheus. docs/metrics.md explains each metric.
import type { Counter, Histogram } from "prom-client";
import type { LimitUse } from "./device-gauges.ts";
import { Families } from "./families.ts";

/** A request to a gate that is over. */
export interface GateRequest {
  /** undefined: its URL is none of git's. */
  readonly service?: "upload-pack" | "receive-pack" | undefined;
  /** It asked for the refs, as the first request of a fetch or of a push does. */
  readonly advertisement?: boolean | undefined;
  readonly status: number;
  readonly durationMs: number;
  /** How long the sidecar was asked. undefined: it was not. */
  readonly waitMs?: number | undefined;
  /** Why it was refused: an error code, or `HTTP_` with the status. undefined: it was not. */
  readonly reason?: string | undefined;
}

/** The values that are read for one page. */
export interface GateFigures {
  readonly limits: readonly LimitUse[];
  /** The files with certificates, each with the first end of what it holds, in milliseconds. */
  readonly certificates: readonly { readonly file: string; readonly endsAt: number }[];
}

/** Counts and measures the requests to one gate, and writes the page. */
export class GateMetrics {
  readonly #families = new Families();
  readonly #figures: () => GateFigures;
  readonly #requests: Counter<"route" | "status">;
  readonly #seconds: Histogram<"route">;
  readonly #refused: Counter<"reason">;
  readonly #waits: Histogram;
  readonly #show: (figures: GateFigures) => void;

  /** `figures` is asked for each page. */
  constructor(version: string, figures: () => GateFigures) {
    const families = this.#families;
    this.#figures = figures;
    this.#requests = families.counter(
      "lockstep_gate_requests_total",
      "Requests to this gate, by what was asked and by the class of the status",
      "route",
      "status",
    );
    this.#seconds = families.seconds("lockstep_gate_request_seconds", "From a request to the end of its git", "route");
    this.#refused = families.counter(
      "lockstep_gate_refused_total",
      "Requests that this gate refused, by error code or HTTP status",
      "reason",
    );
    this.#waits = families.seconds("lockstep_gate_sidecar_seconds", "How long a request waited for the sidecar");
    families
      .gauge("lockstep_gate_build_info", "1, with the version of this gate as a label", "version")
      .set({ version }, 1);
    this.#show = gaugesOf(families);
  }

  /** Counts a request that was answered or refused. */
  readonly ended = (request: GateRequest): void => {
    const { status, reason } = request;
    this.#count(request, `${Math.floor(status / 100)}xx`);
    if (reason !== undefined) this.#refused.inc({ reason });
  };

  /** Counts a request whose client left before an answer. */
  readonly left = (request: GateRequest): void => this.#count(request, "left");

  /** Returns the page and its content type. */
  async page(): Promise<{ contentType: string; text: string }> {
    this.#show(this.#figures());
    return await this.#families.page();
  }

  #count(request: GateRequest, status: string): void {
    const route = routeOf(request);
    this.#requests.inc({ route, status });
    this.#seconds.observe({ route }, request.durationMs / 1000);
    if (request.waitMs !== undefined) this.#waits.observe(request.waitMs / 1000);
  }
}

function routeOf({ service, advertisement }: GateRequest): string {
  if (service === undefined) return "none";
  const what = service === "upload-pack" ? "fetch" : "push";
  return advertisement ? `${what}_refs` : what;
}

function gaugesOf(families: Families): (figures: GateFigures) => void {
  const used = families.gauge("lockstep_limit_used", "How much of a limit is used", "limit");
  const most = families.gauge("lockstep_limit_max", "The limit, beyond which somebody waits or is refused", "limit");
  const ends = families.gauge(
    "lockstep_certificate_expiry_timestamp_seconds",
    "When the certificate of this gate, an authority of its users or a list of revoked ones ends, by setting",
    "file",
  );
  return ({ limits, certificates }) => {
    for (const { limit, ...of } of limits) {
      used.set({ limit }, of.used);
      most.set({ limit }, of.most);
    }
    ends.reset();
    for (const { file, endsAt } of certificates) ends.set({ file }, endsAt / 1000);
  };
}
