// Measures the adoption of many small repositories on one device. The baseline reads the refs of the same directories
// with git and syncs each, one after the other, which is the least that an adoption must do.
import { execFile } from "node:child_process";
import { closeSync, cpSync, fsyncSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { Client } from "../dist/client/client.js";
import { git, inFolder, report, time, withCluster } from "./harness.mjs";

/** BENCH_ADOPTIONS=10000 for the size of an old server; the default takes less than a minute. */
const MANY = Number(process.env.BENCH_ADOPTIONS ?? 1_000);
const run = promisify(execFile);

export const benchmarks = {
  "adopt many": () =>
    inFolder((dir) =>
      withCluster(
        join(dir, "cluster"),
        async ({ devices: [device] }) => {
          const template = join(dir, "template.git");
          await makeTemplate(template);
          const paths = Array.from({ length: MANY }, (_, index) => join(device.root, "many", `${index}.git`));
          mkdirSync(join(device.root, "many"));
          for (const path of paths) cpSync(template, path, { recursive: true });
          const baselineMs = await time(async () => {
            for (const path of paths) await readAndSync(path);
          });
          const before = memory(device.pid);
          let adopted = 0;
          const client = new Client({ socket: device.socket });
          const oursMs = await time(async () => {
            const signal = AbortSignal.timeout(3_600_000);
            for await (const event of client.stream("AdoptRepositories", { all: true }, signal)) {
              if (event.refused) throw new Error(`refused: ${event.refused.reason}`);
              adopted += 1;
            }
          });
          client[Symbol.dispose]();
          if (adopted !== MANY) throw new Error(`adopted ${adopted} of ${MANY}`);
          const peak = memory(device.pid).peak;
          const rate = (ms) => (MANY / ms) * 1000;
          await report({
            name: "adopt many",
            unit: "repositories/s",
            baseline: rate(baselineMs),
            ours: rate(oursMs),
            ratio: rate(oursMs) / rate(baselineMs),
            peakMegabytes: peak,
            note: `${MANY} repositories of one commit; memory of the sidecar ${before.now.toFixed(0)} MB before, ${peak.toFixed(0)} MB at most`,
          });
        },
        1,
      ),
    ),
};

async function makeTemplate(path) {
  mkdirSync(path);
  await git(path, "init", "--quiet", "--bare", "--initial-branch=main", ".");
  const tree = await git(path, "hash-object", "-w", "-t", "tree", "/dev/null");
  const commit = await git(path, "commit-tree", tree, "-m", "one");
  await git(path, "update-ref", "refs/heads/main", commit);
}

async function readAndSync(path) {
  await run("git", ["for-each-ref"], { cwd: path, env: { PATH: process.env.PATH, GIT_DIR: path } });
  for (const name of ["", "refs/heads", "objects", "HEAD"]) {
    const file = openSync(join(path, name), "r");
    fsyncSync(file);
    closeSync(file);
  }
}

/** Returns the memory of a process now and at its highest, in megabytes. */
function memory(pid) {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const of = (name) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)[1]) / 1024;
  return { now: of("VmRSS"), peak: of("VmHWM") };
}
