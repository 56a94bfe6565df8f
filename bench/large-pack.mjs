// Measures memory: how much more each sidecar and gate holds at its peak than before. A pack of 1 GB that cannot be
// compressed is pushed through a gate and fetched by another device. The baseline is a push of 1 MB.
import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Client } from "../dist/client/client.js";
import { git, inFolder, report, time, withCluster } from "./harness.mjs";

const MEGABYTES = Number(process.env.BENCH_MEGABYTES ?? 1024);
const FILES = 16;

export const benchmarks = {
  "memory at a large pack": () =>
    inFolder((dir) =>
      withCluster(
        dir,
        async ({ devices }) => {
          await git(dir, "init", "-q", "work");
          // With these settings git puts large files into a pack without compression.
          for (const setting of ["core.bigFileThreshold=100k", "core.compression=0", "gc.auto=0"])
            await git(join(dir, "work"), "config", ...setting.split("="));
          const small = await pushAndFollow(join(dir, "work"), devices, 1);
          const large = await pushAndFollow(join(dir, "work"), devices, MEGABYTES);
          const most = (growth) => Math.max(...Object.values(growth));
          await report({
            name: "memory at a large pack",
            unit: "MB",
            aim: "ours ≤ 64 MB",
            baseline: most(small.growth),
            ours: most(large.growth),
            ratio: most(large.growth) / most(small.growth),
            note: `the most that a sidecar or a gate grew, ${MEGABYTES} MB pushed in ${seconds(large.pushMs)} and fetched in ${seconds(large.followMs)}`,
            small,
            large,
          });
        },
        2,
      ),
    ),
};

const seconds = (ms) => `${(ms / 1000).toFixed(1)} s`;

async function pushAndFollow(work, [writer, follower], megabytes) {
  const part = (megabytes << 20) / FILES;
  for (let file = 0; file < FILES; file += 1) writeFileSync(join(work, `file${file}`), randomBytes(part));
  await git(work, "add", ".");
  await git(work, "commit", "-q", "-m", `${megabytes} MB`);
  const processes = Object.fromEntries(
    [writer, follower].flatMap(({ name, pid, gate }) => [
      [`sidecar of ${name}`, pid],
      [`gate of ${name}`, gate.pid],
    ]),
  );
  const before = Object.values(processes).map(megabytesNow);
  for (const pid of Object.values(processes)) writeFileSync(`/proc/${pid}/clear_refs`, FORGET_PEAK);
  const pushMs = await time(() => git(work, "push", "-q", `${writer.gate.url}/demo.git`, "HEAD:refs/heads/main"));
  const client = new Client({ socket: follower.socket });
  const followMs = await time(() => client.call("BeforeRead", { repository: "demo" }, { timeoutMs: 300_000 }));
  client[Symbol.dispose]();
  const growth = Object.entries(processes).map(([name, pid], index) => [name, peakMegabytes(pid) - before[index]]);
  return { pushMs, followMs, growth: Object.fromEntries(growth) };
}

/** Written to /proc/PID/clear_refs, this value resets the peak VmHWM to the current memory (proc(5)). */
const FORGET_PEAK = "5";

function megabytesNow(pid) {
  return statusOf(pid, "VmRSS");
}

function peakMegabytes(pid) {
  return statusOf(pid, "VmHWM");
}

function statusOf(pid, field) {
  const [, kilobytes] = new RegExp(`${field}:\\s+(\\d+)`).exec(readFileSync(`/proc/${pid}/status`, "utf8"));
  return kilobytes / 1024;
}
