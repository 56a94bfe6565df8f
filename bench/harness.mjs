// Shared by all benchmarks: a cluster, alternating runs of baseline and ours, and reports.
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { request } from "node:http";
import { cpus, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import pg from "pg";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const run = promisify(execFile);

/** Runs git without the user's environment and configuration. Returns its output. */
export async function git(cwd, ...args) {
  const who = {
    GIT_AUTHOR_NAME: "b",
    GIT_AUTHOR_EMAIL: "b@example.org",
    GIT_COMMITTER_NAME: "b",
    GIT_COMMITTER_EMAIL: "b@example.org",
  };
  const env = { PATH: process.env.PATH, HOME: cwd, GIT_CONFIG_NOSYSTEM: "1", ...who };
  const { stdout } = await run("git", args, { cwd, env, maxBuffer: 1 << 28 });
  return stdout.trim();
}

/** Runs `work` in a temporary folder and removes the folder afterwards. */
export async function inFolder(work) {
  const dir = await mkdtemp(join(tmpdir(), "lockstep-bench-"));
  try {
    return await work(dir);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/**
 * Starts a program of this project. Resolves with the first line of its output, parsed as JSON, and functions to end
 * it.
 */
export async function start(program, args, env = {}) {
  const child = spawn(process.execPath, [join(root, program), ...args], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { PATH: process.env.PATH, HOME: tmpdir(), ...env },
  });
  const [line] = await Promise.race([
    once(createInterface(child.stdout), "line"),
    once(child, "exit").then(([code]) => Promise.reject(new Error(`${program} ended with ${code}`))),
  ]);
  const stop = async () => {
    if (child.exitCode !== null) return;
    child.kill("SIGINT");
    await once(child, "exit");
  };
  return { ...JSON.parse(line), pid: child.pid, stop };
}

/** Starts a demo cluster, runs `work` with it, and stops it. */
export async function withCluster(dir, work, devices = 3) {
  const cluster = await start(
    "dist/main.js",
    ["demo", "--json", "--dir", join(dir, "c"), "--devices", String(devices)],
    {
      LOCKSTEP_LOG_LEVEL: process.env.LOCKSTEP_LOG_LEVEL ?? "warn",
    },
  );
  try {
    [{ server_version: postgres }] = await sql(cluster, "show server_version");
    return await work(cluster);
  } finally {
    await cluster.stop();
  }
}

/** Starts the stopped sidecar of a device. Resolves when the sidecar is ready, with the milliseconds that it took. */
export async function serveAgain(device) {
  const startedAt = performance.now();
  const [program, ...args] = device.argv;
  const child = spawn(program, args, { env: device.env, stdio: ["ignore", "ignore", "inherit"] });
  const exited = once(child, "exit");
  const ready = () =>
    fetch(`${device.http}/readyz`).then(
      (response) => response.ok,
      () => false,
    );
  while (!(await ready())) {
    if (child.exitCode !== null) throw new Error(`the sidecar ended with ${child.exitCode}`);
    await sleep(5);
  }
  const readyMs = performance.now() - startedAt;
  const stop = async (signal = "SIGTERM") => {
    child.kill(signal);
    await exited;
  };
  return { pid: child.pid, readyMs, stop };
}

/** Ends the sidecar that the demo started for a device. */
export async function endSidecar({ pid, http }, signal = "SIGTERM") {
  process.kill(pid, signal);
  while (await fetch(`${http}/livez`).then(Boolean, () => false)) await sleep(5);
}

/** The version of PostgreSQL for the reports, from the last cluster. */
let postgres;

/** Runs one statement on the database of a cluster and returns its rows. */
export async function sql(cluster, text, values = []) {
  const client = new pg.Client({ connectionString: cluster.database_url });
  await client.connect();
  try {
    return (await client.query(text, values)).rows;
  } finally {
    await client.end();
  }
}

/** Returns the sum of a counter, over all its labels, from the metrics of a device. */
export async function counter(device, name) {
  const page = await (await fetch(`${device.http}/metrics`)).text();
  const lines = page.split("\n").filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`));
  return lines.reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
}

const TICKS_A_SECOND = 100;

/**
 * Returns the processor time of these processes. Unless `alone` is true, it includes that of all processes that they
 * have started and that have ended.
 */
export async function cpuSeconds(pids, { alone = false } = {}) {
  let ticks = 0;
  for (const pid of pids) {
    const fields = (await readFile(`/proc/${pid}/stat`, "latin1")).replace(/^.*\) /s, "").split(" ");
    for (const field of fields.slice(11, alone ? 13 : 15)) ticks += Number(field);
  }
  return ticks / TICKS_A_SECOND;
}

/** Returns the milliseconds that `work` takes. */
export async function time(work) {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

/** Sends a request of upload-pack in protocol version 2. Returns the answer. */
export async function exchange(agent, url, body) {
  const headers = { "git-protocol": "version=2" };
  if (body) headers["content-type"] = "application/x-git-upload-pack-request";
  const response = await new Promise((resolve, reject) => {
    const sent = request(url, { method: body ? "POST" : "GET", agent, headers }, resolve);
    sent.once("error", reject);
    sent.end(body);
  });
  const chunks = [];
  for await (const chunk of response) chunks.push(chunk);
  const answer = Buffer.concat(chunks);
  if (response.statusCode !== 200 || answer.length === 0)
    throw new Error(`status ${response.statusCode}, ${answer.length} bytes`);
  return answer;
}

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/**
 * Runs `baseline` and `ours` alternately and reports the ratio of their medians. Unless `warm` is false, each runs once
 * before without being measured.
 * Both return a number: milliseconds, or a rate. `detail` is called at the end and returns further fields of the
 * report.
 */
export async function compare({
  name,
  unit = "ms",
  aim,
  runs = 5,
  warm = true,
  baseline,
  ours,
  note,
  detail = () => ({}),
}) {
  if (warm) {
    await baseline();
    await ours();
  }
  const pairs = [];
  for (let index = 0; index < runs; index += 1) pairs.push({ baseline: await baseline(), ours: await ours() });
  const result = {
    name,
    unit,
    aim,
    note,
    baseline: median(pairs.map((pair) => pair.baseline)),
    ours: median(pairs.map((pair) => pair.ours)),
    ratio: median(pairs.map((pair) => pair.ours)) / median(pairs.map((pair) => pair.baseline)),
    spread: [
      Math.min(...pairs.map((pair) => pair.ours / pair.baseline)),
      Math.max(...pairs.map((pair) => pair.ours / pair.baseline)),
    ],
    runs: pairs,
    ...detail(),
  };
  await report(result);
  return result;
}

/** Prints a result and keeps it as bench/results/NAME.json with machine and versions. */
export async function report(result) {
  const number = (value) => (value >= 100 ? value.toFixed(0) : value.toPrecision(3));
  const spread = result.spread ? `, spread ${result.spread.map(number).join("–")}` : "";
  const figures =
    result.ratio === undefined
      ? number(result.ours)
      : `baseline ${number(result.baseline)}, ours ${number(result.ours)} ${result.unit}, ratio ${number(result.ratio)}${spread}`;
  console.log(
    `${result.name}: ${figures}${result.aim ? ` (aim ${result.aim})` : ""}${result.note ? `; ${result.note}` : ""}`,
  );
  const machine = {
    cpus: cpus().length,
    model: cpus()[0]?.model,
    node: process.version,
    git: await git(tmpdir(), "version"),
    postgres,
    commit: await commit(),
  };
  mkdirSync(join(root, "bench", "results"), { recursive: true });
  writeFileSync(
    join(root, "bench", "results", `${result.name.replaceAll(" ", "-")}.json`),
    `${JSON.stringify({ ...result, machine }, null, 2)}\n`,
  );
}

/** Returns the measured commit, with "+" if the work tree has changes. */
async function commit() {
  try {
    const changes = await git(root, "status", "--porcelain", "--", "src", "native", "migrations");
    return `${await git(root, "rev-parse", "--short", "HEAD")}${changes === "" ? "" : "+"}`;
  } catch {
    return "unknown";
  }
}
