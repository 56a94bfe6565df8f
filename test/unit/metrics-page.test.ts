// The values on the page that are read when somebody asks for it.
import { afterEach, expect, it, vi } from "vitest";
import type { ClusterFigures } from "../../src/health/figures.ts";
import { type MetricSources, Metrics } from "../../src/telemetry/metrics.ts";

afterEach(() => void vi.useRealTimers());

const FIGURES: ClusterFigures = {
  devices: [
    { name: "a", live: true, drains: false, replicas: 3, versionsBehind: 0, secondsBehind: 0 },
    { name: "b", live: false, drains: true, replicas: 2, versionsBehind: 7, secondsBehind: 90 },
  ],
  repositories: 3,
  headsOnOneDevice: 1,
  stopped: 0,
  writesStopped: 2,
  allWritesStopped: true,
  replicas: { active: 5, broken: 1 },
  damaged: 4,
  staged: { count: 2, oldestSeconds: 8.5 },
  turns: { count: 0, oldestSeconds: 0 },
};
const QUEUE = { queued: 5, running: 1, oldestSeconds: 12 };
const sources = (more: Partial<MetricSources>): MetricSources => ({
  headQueries: () => 0,
  commands: async () => QUEUE,
  cluster: async () => FIGURES,
  ...more,
});
const linesOf = async (metrics: Metrics) => (await metrics.page()).text.split("\n");

const OF_CLUSTER = [
  'lockstep_device_up{device="a"} 1',
  'lockstep_device_up{device="b"} 0',
  'lockstep_device_draining{device="b"} 1',
  'lockstep_device_replicas{device="b"} 2',
  'lockstep_versions_behind{device="b"} 7',
  'lockstep_behind_seconds{device="b"} 90',
  'lockstep_replicas{state="active"} 5',
  'lockstep_replicas{state="broken"} 1',
  'lockstep_replicas{state="pending"} 0',
  "lockstep_repositories 3",
  "lockstep_heads_on_one_device 1",
  "lockstep_stopped_repositories 0",
  "lockstep_write_stops 2",
  "lockstep_writes_stopped 1",
  "lockstep_damaged_replicas 4",
  "lockstep_staged_writes 2",
  "lockstep_staged_write_age_seconds 8.5",
  "lockstep_turn_tickets 0",
];
const OF_QUEUE = ['lockstep_commands{state="queued"} 5', "lockstep_command_wait_seconds 12"];

it("has the cluster, the queue, the disk, the build and the limits", async () => {
  const disk = async () => ({ freeBytes: 10, sizeBytes: 40 });
  const build = { version: "1.2.3", git: "2.39.5", schema: "1" };
  const metrics = new Metrics(sources({ disk, build }));
  metrics.limits.tell("packs", 8, () => 3);
  expect(await linesOf(metrics)).toEqual(
    expect.arrayContaining([
      ...OF_CLUSTER,
      ...OF_QUEUE,
      "lockstep_database_up 1",
      "lockstep_disk_free_bytes 10",
      "lockstep_disk_size_bytes 40",
      'lockstep_build_info{version="1.2.3",git="2.39.5",schema="1"} 1',
      'lockstep_limit_used{limit="packs"} 3',
      'lockstep_limit_max{limit="packs"} 8',
    ]),
  );
});

it("forgets a device that was removed", async () => {
  vi.useFakeTimers();
  let figures = FIGURES;
  const metrics = new Metrics(sources({ cluster: async () => figures }));
  expect(await linesOf(metrics)).toContain('lockstep_device_up{device="b"} 0');
  figures = { ...FIGURES, devices: FIGURES.devices.slice(0, 1) };
  await vi.advanceTimersByTimeAsync(6_000);
  const lines = await linesOf(metrics);
  expect(lines).toContain('lockstep_device_up{device="a"} 1');
  expect(lines.filter((line) => line.includes('device="b"'))).toEqual([]);
});

it.each([
  ["fails", () => Promise.reject(new Error("refused"))],
  ["hangs", () => new Promise<never>(() => {})],
])("says that the database is away when it %s, and tells nothing of before", async (_, away) => {
  vi.useFakeTimers();
  let commands: MetricSources["commands"] = async () => QUEUE;
  const metrics = new Metrics(sources({ commands: () => commands() }));
  expect(await linesOf(metrics)).toEqual(expect.arrayContaining([...OF_CLUSTER, ...OF_QUEUE]));
  commands = away;
  await vi.advanceTimersByTimeAsync(2_000);
  const asked = linesOf(metrics);
  await vi.advanceTimersByTimeAsync(3_000);
  const lines = await asked;
  expect(lines).toContain("lockstep_database_up 0");
  const values = lines.filter((line) => !line.startsWith("#"));
  const gone = [...OF_CLUSTER, ...OF_QUEUE].map((line) => line.replace(/[{ ].*/, ""));
  expect(values.filter((line) => gone.includes(line.replace(/[{ ].*/, "")))).toEqual([]);
});

it("counts a write in doubt until its outcome is known", async () => {
  const metrics = new Metrics(sources({}));
  {
    using _ = metrics.inDoubt();
    expect(await linesOf(metrics)).toContain("lockstep_writes_in_doubt 1");
  }
  expect(await linesOf(metrics)).toContain("lockstep_writes_in_doubt 0");
});
