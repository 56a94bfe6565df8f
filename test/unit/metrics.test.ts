import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { Metrics } from "../../src/telemetry/metrics.ts";

const promtool = (text: string) => spawnSync("promtool", ["check", "metrics"], { input: text, encoding: "utf8" });
// .ci/programs brings it in the parts that run test/e2e/prometheus.test.ts.
if (promtool("").error) console.warn("One test is skipped: promtool is not installed (Debian package prometheus).");

interface Family {
  readonly name: string;
  readonly type: string;
  readonly help: string;
}

let page: string;
let families: Family[];
beforeAll(async () => {
  const metrics = new Metrics({ headQueries: () => 3, commands: () => Promise.reject(new Error("away")) });
  metrics.pushed({ durationMs: 100, laps: { stageMs: 20, landMs: 40 } }, 1);
  metrics.pushFailed(true);
  metrics.caughtUp({ durationMs: 2_000, laps: { fetchMs: 1_900 } }, { from: "repo002", bytes: 100 });
  metrics.catchUpFailed();
  metrics.read("current");
  metrics.refused("UNAUTHENTICATED");
  page = (await metrics.page()).text;
  families = [...page.matchAll(/^# HELP (\S+) (.*)\n# TYPE \1 (\S+)$/gm)].map(
    ([, name = "", help = "", type = ""]) => ({
      name,
      type,
      help,
    }),
  );
});

/** The last words of gauges that are 1 or 0, that have labels as their value, or that tell a limit. */
const STATES = ["up", "draining", "stopped", "info", "used", "max"];
/** Names that other programs use, as they are. */
const FIXED = ["lockstep_versions_behind", "lockstep_heads_on_one_device", "lockstep_writes_in_doubt"];

/** What is wrong with the name of a metric by the rule lockstep_<noun>_<unit>[_total]; undefined: nothing. */
function misnamed({ name, type }: Pick<Family, "name" | "type">): string | undefined {
  if (!/^lockstep(_[a-z]+)+$/.test(name)) return "lockstep_ and lower-case words";
  if ((type === "counter") !== name.endsWith("_total")) return "_total at the end of counters, and of nothing else";
  const unit =
    name
      .replace(/_total$/, "")
      .split("_")
      .at(-1) ?? "";
  if (type === "histogram" && !["seconds", "bytes"].includes(unit)) return "base units: seconds or bytes";
  // What is counted is its own unit, in the plural: pushes, reads, queries.
  if (unit.endsWith("s") || STATES.includes(unit) || FIXED.includes(name)) return undefined;
  return "a unit in the plural, or a word that stands for a state, at the end";
}

describe("the metrics", () => {
  it("the metrics of Lockstep are all named lockstep_<noun>_<unit>[_total]", () => {
    const ours = families.filter(({ name }) => !/^(process|nodejs)_/.test(name));
    expect(ours.length).toBeGreaterThanOrEqual(8);
    for (const family of ours) expect(misnamed(family), family.name).toBeUndefined();
  });

  it.each([
    ["lockstep_pushes", "counter"],
    ["lockstep_queue_total", "gauge"],
    ["lockstep_push_duration_ms", "histogram"],
    ["lockstep_push", "histogram"],
    ["lockstep_catchUp_seconds", "histogram"],
    ["git_pushes_total", "counter"],
    ["lockstep_memory_total", "counter"],
  ])("would not be named %s (%s)", (name, type) => {
    expect(misnamed({ name, type })).toBeDefined();
  });

  it("the metrics have one help text each", () => {
    for (const { name, help } of families) expect(help, name).toMatch(/\S/);
    expect(new Set(families.map(({ name }) => name)).size).toBe(families.length);
    expect(page.match(/^# TYPE/gm)).toHaveLength(families.length);
  });

  it("the metrics of Lockstep are exactly those that docs/metrics.md explains", () => {
    // The end is about the page of the gate (gate-metrics.test.ts).
    const [docs = ""] = readFileSync(new URL("../../docs/metrics.md", import.meta.url), "utf8").split(
      "\n## The gate\n",
    );
    const explained = [...docs.matchAll(/`(lockstep_[a-z_]+[a-z])[`{]/g)].map(([, name]) => name);
    const ours = families.map(({ name }) => name).filter((name) => name.startsWith("lockstep_"));
    expect([...new Set(explained)].sort()).toEqual(ours.sort());
  });

  it("count the events that they are told of", () => {
    for (const line of [
      'lockstep_pushes_total{result="landed"} 1',
      'lockstep_pushes_total{result="unknown"} 1',
      "lockstep_push_races_total 1",
      'lockstep_catch_ups_total{result="ok"} 1',
      'lockstep_catch_ups_total{result="failed"} 1',
      'lockstep_push_step_seconds_sum{step="land"} 0.04',
      'lockstep_catch_up_bytes_total{source="repo002"} 100',
      'lockstep_catch_up_step_seconds_count{step="fetch"} 1',
      'lockstep_catch_up_seconds_bucket{le="3"} 1',
      'lockstep_reads_total{result="current"} 1',
      "lockstep_head_queries_total 3",
      'lockstep_refused_callers_total{code="UNAUTHENTICATED"} 1',
    ])
      expect(page.split("\n")).toContain(line);
  });

  it.skipIf(promtool("").error)("pass promtool's check", () => {
    expect(promtool(page)).toMatchObject({ status: 0, stderr: "" });
    expect(promtool("# TYPE bad_total gauge\nbad_total 1\n").status).not.toBe(0);
  });
});
