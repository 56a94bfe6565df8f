// Measures the time from the start of a sidecar until it is ready, against a bare gRPC server. Measures also the memory
// of an idle sidecar.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { compare, endSidecar, inFolder, serveAgain, start, time, withCluster } from "./harness.mjs";

const IDLE_MS = 1_000;

export const benchmarks = {
  "start-up": () =>
    withStoppedSidecar(async (device, echo) => {
      const baseline = async () => {
        let server;
        const startMs = await time(async () => {
          server = await echo();
        });
        await server.stop();
        return startMs;
      };
      const ours = async () => {
        const sidecar = await serveAgain(device);
        await sidecar.stop();
        return sidecar.readyMs;
      };
      await compare({ name: "start-up", aim: "ours ≤ 1000 ms", runs: 5, baseline, ours });
    }),
  "idle memory": () =>
    withStoppedSidecar(async (device, echo) => {
      const idle = async (server) => {
        const { pid, stop } = await server;
        await sleep(IDLE_MS);
        const megabytes = residentMegabytes(pid);
        await stop();
        return megabytes;
      };
      await compare({
        name: "idle memory",
        unit: "MB",
        aim: "ours ≤ 100 MB",
        baseline: () => idle(echo()),
        ours: () => idle(serveAgain(device)),
      });
    }),
};

async function withStoppedSidecar(work) {
  await inFolder((dir) =>
    withCluster(
      dir,
      async ({ devices: [device] }) => {
        await endSidecar(device);
        await work(device, () => start("bench/echo-server.mjs", [join(dir, "echo.sock")]));
      },
      1,
    ),
  );
}

function residentMegabytes(pid) {
  const [, kilobytes] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
  return kilobytes / 1024;
}
