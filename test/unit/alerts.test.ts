// The rules for alerts agree with the metrics, with their tests and with docs/operations.md, and the Grafana board with
// the metrics. test/e2e/prometheus.test.ts tries what they do.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { GateMetrics } from "../../src/telemetry/gate-metrics.ts";
import { Metrics } from "../../src/telemetry/metrics.ts";
import { boardQueries } from "../support/board.ts";

const textOf = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
const RULES = textOf("deploy/prometheus/lockstep.rules.yaml");
const TESTS = textOf("deploy/prometheus/lockstep.test.yaml");

/** The rules by the name of their alert. */
const alerts = new Map(
  RULES.split(/^ +- alert: /m)
    .slice(1)
    .map((rule) => [/^\w+/.exec(rule)?.[0] ?? "", rule]),
);

/** Returns the metrics that a text names, without the parts of histograms. */
function namedIn(text: string): string[] {
  return [...text.matchAll(/\blockstep_[a-z_]+[a-z]\b/g)].map(([name]) => name.replace(/_(bucket|sum|count)$/, ""));
}

it("the command in docs/metrics.md gives every link to the runbook its base", () => {
  const [, command = ""] = /^ {4}sed -i '(.*)' lockstep\.rules\.yaml$/m.exec(textOf("docs/metrics.md")) ?? [];
  const { stdout } = spawnSync("sed", [command], { input: RULES, encoding: "utf8" });
  const links = [...stdout.matchAll(/runbook_url: (.*)#/g)].map(([, link]) => link);
  expect(links).toHaveLength(alerts.size);
  expect(new Set(links)).toEqual(new Set(["https://git.example.com/lockstep/docs/operations.md"]));
});

it("there is a rule for each heading below Alerts in docs/operations.md, and no other", () => {
  const [, section = ""] = /^# Alerts$(.*?)^# /ms.exec(textOf("docs/operations.md")) ?? [];
  const headings = [...section.matchAll(/^### (.*)$/gm)].map(([, heading]) => heading);
  expect(headings).toEqual([...alerts.keys()]);
  expect(headings.length).toBeGreaterThan(20);
});

describe.each([...alerts])("the rule %s", (name, rule) => {
  it("leads to its heading, has a severity and says what happened", () => {
    expect(rule).toContain(`runbook_url: docs/operations.md#${name.toLowerCase()}\n`);
    expect(rule).toMatch(/severity: (critical|warning) /);
    expect(rule).toMatch(/summary: "?\S.*\."?$/m);
  });

  it("has a test in which it is quiet and then fires", () => {
    expect(TESTS).toMatch(
      new RegExp(`eval_time: \\w+, alertname: ${name} }\n +- eval_time: \\w+\n +alertname: ${name}\n`),
    );
  });
});

it("rules, their tests and the board name only metrics that a page has", async () => {
  const metrics = new Metrics({ headQueries: () => 0, commands: () => Promise.reject(new Error("away")) });
  const gate = new GateMetrics("1", () => ({ limits: [], certificates: [] }));
  const page = (await metrics.page()).text + (await gate.page()).text;
  const known = new Set([...page.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name));
  const board = boardQueries().map(({ expr }) => expr);
  for (const name of [RULES, TESTS, ...board].flatMap(namedIn)) expect(known).toContain(name);
  expect(namedIn("rate(lockstep_no_such_seconds_bucket[1m])").filter((name) => known.has(name))).toEqual([]);
});
