// The rules for alerts and the Grafana board: promtool tries the rules, and a real Prometheus that scrapes three devices
// runs every query.
import { spawnSync } from "node:child_process";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { boardQueries } from "../support/board.ts";
import { PATIENCE } from "../support/cluster-device.ts";
import { ada, cluster, one, startClusterOfFile, three, two } from "../support/file-cluster.ts";
import { findProgram } from "../support/programs.ts";
import { type Prometheus, startPrometheus } from "../support/prometheus.ts";
import { soon } from "../support/soon.ts";
import { startWatchedGate, type WatchedGate } from "../support/watched-gate.ts";

const promtool = findProgram("promtool", "prometheus");
const program = findProgram("prometheus", "prometheus");
const missing = [promtool, program].flatMap((found) => ("missing" in found ? [found.missing] : []));
if (missing.length > 0) console.warn(`The tests with Prometheus are skipped: ${missing.join("; ")}.`);

describe.skipIf("missing" in promtool)("the rules for alerts", () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "lockstep-rules-"));
    await cp(fileURLToPath(new URL("../../deploy/prometheus/", import.meta.url)), directory, { recursive: true });
  });
  afterAll(async () => await rm(directory, { recursive: true, force: true }));

  const run = (...args: string[]) =>
    spawnSync((promtool as { path: string }).path, args, { cwd: directory, encoding: "utf8", timeout: 120_000 });

  it("are rules for Prometheus, and fire when they should and no sooner", () => {
    expect(run("check", "rules", "lockstep.rules.yaml")).toMatchObject({ status: 0, stderr: "" });
    const tried = run("test", "rules", "lockstep.test.yaml");
    expect(tried.stdout + tried.stderr).not.toContain("FAILED");
    expect(tried.status).toBe(0);
  });

  it("would fail their tests with another threshold", async () => {
    const path = join(directory, "lockstep.rules.yaml");
    const rules = await readFile(path, "utf8");
    const changed = rules.replace("lockstep_disk_size_bytes < 0.1", "lockstep_disk_size_bytes < 0.01");
    expect(changed).not.toBe(rules);
    await writeFile(path, changed);
    const tests = join(directory, "lockstep.test.yaml");
    const [head, ...groups] = (await readFile(tests, "utf8")).split(/(?=^ {2}- name: )/m);
    const ofDisk = groups.filter((group) => group.startsWith("  - name: LockstepDiskFull\n"));
    await writeFile(tests, [head, ...ofDisk].join(""));
    const tried = run("test", "rules", "lockstep.test.yaml");
    expect(tried.stdout + tried.stderr).toContain("LockstepDiskFull");
    expect(tried.status).toBe(1);
  });
});

/** The queries that have no data on a cluster on which nothing of that kind has happened, by panel and legend. */
const MAY_BE_EMPTY = [
  ["Callers refused", "{{code}}"],
  ["Webhooks", "{{result}}"],
  ["annotations", ""],
];

const SOON = soon(500);

describe.skipIf(missing.length > 0)("a real Prometheus", () => {
  startClusterOfFile({ shortWaits: true });
  let prometheus: Prometheus;
  let gate: WatchedGate;
  beforeAll(async () => {
    gate = await startWatchedGate(two);
    const targets = [...cluster.devices.map(({ demo }) => demo.http.replace("http://", "")), gate.httpAt];
    prometheus = await startPrometheus((program as { path: string }).path, targets);
  });
  afterAll(async () => {
    await prometheus?.[Symbol.asyncDispose]();
    await gate?.[Symbol.asyncDispose]();
  });

  const number = async (expr: string) => Number((await prometheus.query(expr))[0]?.value[1]);

  /** Pushes, clones, reads and refused reads, with a scrape between each two rounds, so that rates have data. */
  async function work(): Promise<void> {
    const repository = await cluster.createRepository();
    for (let round = 1; round <= 3; round += 1) {
      const pushes = 'sum(lockstep_pushes_total{result="landed"})';
      const before = (await number(pushes)) || 0;
      await ada.land(one.url(repository), `+${await ada.commit()}:refs/heads/main`);
      for (const device of [two, three]) await device.call("BeforeRead", { repository }, PATIENCE);
      await cluster.git.git(["clone", "--quiet", gate.url(repository), join(ada.dir, `clone-${round}`)]);
      await fetch(`${two.demo.http}/gate?repository=no/such`);
      await cluster.git.run(["ls-remote", gate.url("no/such")]);
      await vi.waitFor(async () => expect(await number(pushes)).toBeGreaterThan(before), SOON);
    }
  }

  it("runs every query of the board and of the rules, and those that must have data have data", async () => {
    await work();
    const queries = boardQueries({ filled: true });
    expect(queries.length).toBeGreaterThan(40);
    await vi.waitFor(async () => {
      const empty: string[][] = [];
      for (const { panel, legend, expr } of queries) {
        // An error of a query fails the test with the sentence of Prometheus.
        const result = await prometheus.query(expr);
        if (result.length === 0) empty.push([panel, legend]);
      }
      expect(empty.filter((each) => !MAY_BE_EMPTY.some((may) => may.join() === each.join()))).toEqual([]);
    }, SOON);
    await expect(prometheus.query("rate(lockstep_pushes_total)")).rejects.toThrow(/range vector/);
    await vi.waitFor(async () => {
      const rules = await prometheus.rules();
      expect(rules.length).toBeGreaterThan(20);
      expect(rules.filter(({ health }) => health !== "ok")).toEqual([]);
    }, SOON);
  });

  it("sees that the cluster is well, and from the others that a device is away", async () => {
    // The machine that runs the tests may be as slow, and its disk as full, as it likes.
    const others = 'ALERTS{alertname=~"Lockstep.*",alertname!~"LockstepDiskFull|Lockstep(Database|Pushes)Slow"}';
    const pending = async () => (await prometheus.query(others)).map(({ metric }) => metric.alertname);
    await vi.waitFor(async () => expect(await pending()).toEqual([]), SOON);
    await three.kill();
    await vi.waitFor(async () => {
      const alerts = await prometheus.query('ALERTS{alertname="LockstepDeviceAway"}');
      expect(alerts.map(({ metric }) => metric.device)).toEqual(["repo003"]);
    }, SOON);
    const repository = await cluster.createRepository();
    await ada.land(one.url(repository), `${await ada.commit()}:refs/heads/main`);
    await vi.waitFor(
      async () => expect(await number('max(lockstep_versions_behind{device="repo003"})')).toBeGreaterThan(0),
      SOON,
    );
  });
});
