import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { GateMetrics } from "../../src/telemetry/gate-metrics.ts";

const linesOf = async (metrics: GateMetrics) => (await metrics.page()).text.split("\n");

it("counts requests by what was asked and by what became of them", async () => {
  const metrics = new GateMetrics("1.2.3", () => ({ limits: [], certificates: [] }));
  metrics.ended({ service: "upload-pack", advertisement: true, status: 200, durationMs: 20, waitMs: 4 });
  metrics.ended({ service: "upload-pack", advertisement: false, status: 200, durationMs: 2_000 });
  metrics.ended({ service: "receive-pack", advertisement: true, status: 401, durationMs: 1, reason: "HTTP_401" });
  metrics.ended({ service: "receive-pack", status: 503, durationMs: 9, waitMs: 8, reason: "QUEUE_FULL" });
  metrics.ended({ status: 404, durationMs: 1, reason: "HTTP_404" });
  metrics.left({ service: "upload-pack", status: 200, durationMs: 400 });
  expect(await linesOf(metrics)).toEqual(
    expect.arrayContaining([
      'lockstep_gate_build_info{version="1.2.3"} 1',
      'lockstep_gate_requests_total{route="fetch_refs",status="2xx"} 1',
      'lockstep_gate_requests_total{route="fetch",status="2xx"} 1',
      'lockstep_gate_requests_total{route="fetch",status="left"} 1',
      'lockstep_gate_requests_total{route="push_refs",status="4xx"} 1',
      'lockstep_gate_requests_total{route="push",status="5xx"} 1',
      'lockstep_gate_requests_total{route="none",status="4xx"} 1',
      'lockstep_gate_refused_total{reason="HTTP_401"} 1',
      'lockstep_gate_refused_total{reason="QUEUE_FULL"} 1',
      'lockstep_gate_request_seconds_count{route="fetch"} 2',
      "lockstep_gate_sidecar_seconds_count 2",
      'lockstep_gate_sidecar_seconds_bucket{le="0.003"} 0',
      'lockstep_gate_sidecar_seconds_bucket{le="0.01"} 2',
    ]),
  );
});

it("has exactly the metrics that docs/metrics.md explains for the gate", async () => {
  const [, docs = ""] = readFileSync(new URL("../../docs/metrics.md", import.meta.url), "utf8").split(
    "\n## The gate\n",
  );
  const explained = [...docs.matchAll(/`(lockstep_[a-z_]+[a-z])[`{]/g)].map(([, name]) => name);
  const lines = await linesOf(new GateMetrics("1", () => ({ limits: [], certificates: [] })));
  const ours = lines.flatMap((line) => /^# TYPE (lockstep_\S+)/.exec(line)?.[1] ?? []);
  expect(explained.sort()).toEqual(ours.sort());
});

it("has the limits and the ends of certificates as they are when somebody asks", async () => {
  let used = 3;
  let certificates = [{ file: "gate-tls-cert", endsAt: 1_800_000_000_000 }];
  const limits = () => [{ limit: "gate_requests", used, most: 64 }];
  const metrics = new GateMetrics("1", () => ({ limits: limits(), certificates }));
  expect(await linesOf(metrics)).toEqual(
    expect.arrayContaining([
      'lockstep_limit_used{limit="gate_requests"} 3',
      'lockstep_limit_max{limit="gate_requests"} 64',
      'lockstep_certificate_expiry_timestamp_seconds{file="gate-tls-cert"} 1800000000',
    ]),
  );
  used = 4;
  certificates = [];
  const later = await linesOf(metrics);
  expect(later).toContain('lockstep_limit_used{limit="gate_requests"} 4');
  expect(later.filter((line) => line.startsWith("lockstep_certificate_expiry"))).toEqual([]);
});
